"""A million links that were tampered with: ``python -m tests.bench.mutations [--count N]``.

None may be read as anything but what it was minted for, by a reader that mends what it can.
"""

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from urllib.parse import quote

from optout_service.core import base64url
from optout_service.core.address import Address
from optout_service.core.errors import BadToken
from optout_service.core.scope import Kind
from optout_service.core.token import Claim, Links
from optout_service.recipients import link
from tests.stage import KEYS

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
FOREIGN = "~~~=&#;%<>./ \n\u00ad–"


def mutated(token: str, other: str, chance: random.Random) -> str:
    """A token after one act of a vandal or a mail program; ``other``: a second, genuine one."""
    place, end = sorted(chance.sample(range(len(token) + 1), 2))
    head, middle, tail = token[:place], token[place:end], token[end:]
    payload, _, signature = token.partition("~")
    match chance.randrange(14):
        case 0:
            return head + chance.choice(LETTERS) + token[place + 1 :]
        case 1:
            return head + token[place + 1 :]
        case 2:
            return head + chance.choice(LETTERS + FOREIGN) + token[place:]
        case 3:
            return head + tail
        case 4:
            return head + middle * 2 + tail
        case 5:
            return head + middle[::-1] + tail
        case 6:
            return head + middle.swapcase() + tail
        case 7:
            return token[:place] + other[place:]
        case 8:
            return f"{other.partition('~')[0]}~{signature}"
        case 9:
            return head + other + tail
        case 10:
            return head + "".join(f"%{ord(letter):02X}" for letter in middle) + tail
        case 11:
            return f"{_flipped(payload, chance)}~{signature}"
        case 12:
            return f"{payload}~{_flipped(signature, chance)}"
        case _:
            return head + chance.choice(FOREIGN) * chance.randrange(1, 4) + quote(token[place:])


def _flipped(text: str, chance: random.Random) -> str:
    """The text of the same bytes with one bit turned, also one that no byte is made of."""
    if chance.random() < 0.2:
        last = LETTERS[LETTERS.index(text[-1]) ^ 1 << chance.randrange(2)]
        return text[:-1] + last
    raw = bytearray(base64url.decoded(text))
    raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return base64url.encoded(bytes(raw)).decode()


def claims(chance: random.Random) -> Iterator[Claim]:
    """Claims of a few tenants, about mailboxes and telephones."""
    while True:
        number = chance.randrange(10**6)
        mail = Address.parse(Kind.EMAIL, f"r{number}@example.com")
        yield Claim(chance.randrange(1, 5), "email", mail, "newsletter", f"m-{number}")
        phone = Address.parse(Kind.PHONE, f"+1415555{number % 10_000:04d}")
        yield Claim(chance.randrange(1, 5), "sms", phone)


def attack(count: int, seed: int) -> Counter[str]:
    """Read so many mutations; how many were refused, and how many read as what they were.

    Raises AssertionError at the first that is read as anything else.
    """
    chance, links = random.Random(seed), Links(KEYS)
    found: Counter[str] = Counter()
    minted = claims(chance)
    for _ in range(count):
        claim, second = islice(minted, 0, 2)
        token, other = links.mint(claim), links.mint(second)
        text = mutated(token, other, chance)
        for _ in range(chance.randrange(3)):
            text = mutated(text, other, chance) if _is_whole(text) else text
        try:
            read = link.read(links, text).claim
        except BadToken:
            found["refused"] += 1
            continue
        assert read in (claim, second), f"seed {seed}: {text!r} is read as {read}"
        found["untouched" if text in (token, other) else "mended"] += 1
    return found


def _is_whole(text: str) -> bool:
    """Whether a text can be mutated once more: it has both halves, as they are written."""
    halves = text.split("~")
    try:
        return len(halves) == 2 and all(base64url.decoded(half) for half in halves)
    except ValueError:
        return False


def main() -> None:
    """Attack on all cores, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began, part = time.perf_counter(), 10_000
    parts = [min(part, asked.count - done) for done in range(0, asked.count, part)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        seeds = range(asked.seed, asked.seed + len(parts))
        found = sum(pool.map(attack, parts, seeds), Counter[str]())
    print(f"{found.total():,} in {time.perf_counter() - began:.0f} s: {dict(found)}")


if __name__ == "__main__":
    main()
