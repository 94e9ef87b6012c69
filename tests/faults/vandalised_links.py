"""R11: links that were tampered with, of another purpose, or signed by a key that was retired."""

import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from optout_service.core import offer
from optout_service.core.address import Address
from optout_service.core.clearance import Clearance, Clearances
from optout_service.core.errors import BadClearance, BadToken
from optout_service.core.offer import Offer
from optout_service.core.scope import Kind, Scope
from optout_service.core.signing import Signatures
from optout_service.core.token import Claim, Links
from optout_service.recipients import link
from tests.bench.mutations import attack
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.stage import KEYS

_PART: Final = 10_000


def run(_: Ground, size: Size) -> Figure:
    """A million mutations on all cores, or some; then links and other words of ours swapped."""
    count = size.pick(3_000, 1_000_000)
    parts = [min(_PART, count - done) for done in range(0, count, _PART)]
    broken: list[str] = []
    found = Counter[str]()
    try:
        if size is Size.FULL:
            with ProcessPoolExecutor(os.cpu_count()) as pool:
                found = sum(pool.map(attack, parts, range(len(parts))), found)
        else:
            found = attack(count, 0)
    except AssertionError as read_as_another:
        broken.append(str(read_as_another))
    broken += _of_another_purpose() + _of_a_retired_key()
    if found["refused"] < found.total() // 3 or not found["mended"]:
        broken.append(f"no attack worth the name: {dict(found)}")
    return Figure(
        f"{found.total():,} mutated links: {found['refused']:,} refused, {found['mended']:,} "
        "mended to what they were; offers, clearances and links shown for each other; a key that "
        "is retired and listed, and one that is gone",
        tuple(broken),
    )


def _of_another_purpose() -> list[str]:
    """What one part of the service signed, shown to another."""
    links, clearances, at = Links(KEYS), Clearances(Signatures(KEYS)), datetime.now(UTC)
    mailbox = Address.parse(Kind.EMAIL, "r1@example.com")
    digest = KEYS.digest(mailbox)
    token = links.mint(Claim(1, "email", mailbox))
    offered = offer.sign(Offer(1, digest, (1,)), KEYS, at=at)
    cleared = clearances.mint(
        Clearance(1, digest, Scope("email", "*", "marketing"), 1, at, at + timedelta(hours=1))
    )
    broken = [
        f"a link is read in {name}"
        for name, text in (("an offer", offered), ("a clearance", cleared))
        if _opens(links, text)
    ]
    if offer.find(token, KEYS, tenant=1, digest=digest, at=at) is not None:
        broken.append("a link is taken for an offer")
    if offer.find(offered, KEYS, tenant=2, digest=digest, at=at) is not None:
        broken.append("an offer of one tenant is good for another")
    for text in (token, offered):
        try:
            clearances.read(1, text)
        except BadClearance:
            continue
        broken.append("a clearance is read in something else")
    return broken


def _of_a_retired_key() -> list[str]:
    """Rotation: the new key signs, the old one verifies for as long as it is listed."""
    mailbox = Address.parse(Kind.EMAIL, "r1@example.com")
    old = Links(KEYS).mint(Claim(1, "email", mailbox))
    newest = b"n" * 31 + b"2"
    rotated = replace(KEYS, signing=(*KEYS.signing, newest))
    gone = replace(KEYS, signing=(newest,))
    broken = [] if _opens(Links(rotated), old) else ["a retired key that is listed opens nothing"]
    return [*broken, "a key that is gone still opens"] if _opens(Links(gone), old) else broken


def _opens(links: Links, text: str) -> bool:
    try:
        link.read(links, text)
    except BadToken:
        return False
    return True
