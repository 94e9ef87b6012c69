"""Whether a guess that begins rightly is refused later: ``python -m tests.bench.guessing``.

For each proof pairs of guesses, one wrong in the first letter of what is secret of it, one in the
last, in turn in one process: 10,000 of each. Printed are the mean of the pairs' differences and its
standard error, over pairs of different letters. Fewer than three of them are noise.
"""

import contextlib
import statistics
import string
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns

from optout_service.core.errors import OptOutError
from optout_service.core.token import Claim
from optout_service.providers import mail, twilio
from optout_service.runtime import Runtime
from optout_service.store import keys
from tests import stage
from tests.providers.playing import fields
from tests.store.acts import MAIL

PAIRS, ROUNDS = 20, 500
_KEPT = 0.5
"""The faster half: in the others something else ran."""

Guess = Callable[[str], object]


def guesses(rt: Runtime, cast: stage.Cast) -> Mapping[str, tuple[str, Guess]]:
    """What is right, and what a guess is held against."""
    url, form = f"{stage.PUBLIC_URL}/hooks/twilio/messages", fields("stop_long_code")
    secret = "the-secret-of-the-mail-server-of-acme"

    def key(shown: str) -> object:
        with rt.reading() as connection:
            return keys.find(connection, shown, rt.keys)

    def hook(shown: str) -> object:
        headers = {"X-Twilio-Signature": shown}
        return twilio.signer(url, form, headers, [stage.TOKEN])  # type: ignore[arg-type]

    return {
        "an API key": (cast.keys["admin"], key),
        "a link": (rt.links.mint(Claim(cast.acme, "email", MAIL)), rt.links.read),
        "Twilio's signature": (twilio.sign(stage.TOKEN, url, form), hook),
        "a signature of mail": (
            mail.sign(secret, "1", b"x"),
            lambda shown: mail.hmac.compare_digest(mail.sign(secret, "1", b"x"), shown),
        ),
    }


def measured(right: str, guess: Guess) -> tuple[float, float, float]:
    """The mean of all, in nanoseconds; by how much a better guess takes longer; the error."""
    first = right.find("~") + 1
    wrong = [one for one in string.ascii_letters if one not in (right[first], right[-2])]
    pairs = [_pair(right, guess, letter) for letter in wrong[:PAIRS]]
    apart = [late - early for early, late in pairs]
    error = statistics.stdev(apart) / len(apart) ** 0.5
    return statistics.fmean(map(statistics.fmean, pairs)), statistics.fmean(apart), error


def _pair(right: str, guess: Guess, wrong: str) -> tuple[float, float]:
    """How long it takes to refuse two guesses: wrong at the beginning, and at the end."""
    # Of a link what comes before the ~ is for everybody to read.
    first = right.find("~") + 1
    early = f"{right[:first]}{wrong}{right[first + 1 :]}"
    late = f"{right[:-2]}{wrong}{right[-1]}"
    times: dict[str, list[int]] = {early: [], late: []}
    for turn in range(ROUNDS):
        for shown in (early, late) if turn % 2 else (late, early):
            began = perf_counter_ns()
            with contextlib.suppress(OptOutError):
                guess(shown)
            times[shown].append(perf_counter_ns() - began)
    kept = [sorted(one)[: int(len(one) * _KEPT)] for one in times.values()]
    return statistics.fmean(kept[0]), statistics.fmean(kept[1])


def main() -> None:
    """Print a line for each."""
    with tempfile.TemporaryDirectory() as folder:
        settings = stage.settings_for(f"sqlite:///{Path(folder) / 'guessing.db'}")
        rt = Runtime.set_up(settings, stage.KEYS)
        for name, (right, guess) in guesses(rt, stage.set_up(rt)).items():
            mean, apart, error = measured(right, guess)
            print(f"{name}: {mean / 1000:.1f} us; {apart:+.0f} ns apart, error {error:.0f} ns")
        rt.close()


if __name__ == "__main__":
    main()
