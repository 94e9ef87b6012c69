"""The encryption ring: what older keys have sealed is sealed anew, and a key can leave."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from optout_service.core.errors import Conflict, InvalidRequest, Misconfigured
from optout_service.runtime import Runtime
from optout_service.store import resealing, seal
from optout_service.store.resealing import Part

STEP: Final = 200
"""Texts that one transaction seals anew."""
_log: Final = logging.getLogger("optout.audit")


@dataclass(frozen=True, slots=True)
class Progress:
    """How many texts of one column have been sealed anew."""

    what: str
    count: int


def rotate(
    rt: Runtime, *, tell: Callable[[Progress], None] = lambda _: None, step: int = STEP
) -> dict[str, int]:
    """Seal anew what is not under the newest key; how many of each column.

    In small transactions, and it can be run again at any time. Raises Misconfigured (two keys that
    sealed texts do not tell apart), WrongKeys, StoreUnavailable.
    """
    hints = rt.keys.hints
    if len(set(hints)) < len(hints):
        raise Misconfigured(
            "Two encryption keys have fingerprints that begin alike, so nobody can tell which has "
            "sealed what. Put another in the place of the newest."
        )
    done = {_name(part): _reseal(rt, part, tell, step) for part in resealing.PARTS}
    _log.info("encrypted anew", extra={"texts": sum(done.values())})
    return {name: count for name, count in done.items() if count}


def retire(rt: Runtime, fingerprint: str) -> None:
    """Let a key leave the ring, after a proof that nothing is sealed with it.

    Raises InvalidRequest (none of the older keys has this fingerprint), Conflict (something is
    under it), StoreUnavailable.
    """
    known = rt.keys.fingerprints.encryption
    if fingerprint not in known[:-1]:
        raise InvalidRequest(
            f"The ring has no older encryption key {fingerprint}. See: optout keys list",
            field="fingerprint",
        )
    with rt.reading_one_state() as connection:
        left = resealing.counts(connection, rt.keys)[fingerprint]
        answers = resealing.answers_under(connection, bytes.fromhex(fingerprint[:2]))
    if left - answers:
        raise Conflict(
            f"{left - answers} texts are sealed with it. Run: optout keys rotate encryption"
        )
    if answers:
        raise Conflict(
            f"{answers} answers kept for an Idempotency-Key are sealed with it, and cannot be "
            f"sealed anew. They go with retention, after {rt.settings.keep_answers_days} days: "
            "optout retention run"
        )
    with rt.writing() as connection:
        seal.forget_encryption(connection, fingerprint)
    _log.info("an encryption key was retired", extra={"key": fingerprint})


def _reseal(rt: Runtime, part: Part, tell: Callable[[Progress], None], step: int) -> int:
    total = 0
    after: tuple[Any, ...] | None = None
    while True:
        with rt.reading_one_state() as connection:
            texts = resealing.next_texts(connection, part, rt.keys, after=after, limit=step)
        if not texts:
            return total
        began = time.monotonic()
        with rt.writing() as connection:
            resealing.reseal(connection, part, texts, rt.keys)
        total, after = total + len(texts), texts[-1].key
        tell(Progress(_name(part), total))
        time.sleep(time.monotonic() - began)  # whoever waits gets its turn


def _name(part: Part) -> str:
    return f"{part.table.name}.{part.column}"
