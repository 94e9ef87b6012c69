"""One thing that was looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """``ADVICE``: it works, and could be better, or cannot be told from here."""

    OK = "ok"
    ADVICE = "advice"
    MEND = "mend"


@dataclass(frozen=True, slots=True)
class Finding:
    """``subject`` is the stable word for what was looked at; ``detail`` what is so, and, unless
    that is well, what to do. No secret and no address stands in it.
    """

    subject: str
    level: Level
    detail: str


def ok(subject: str, detail: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, Level.OK, detail)


def advice(subject: str, detail: str) -> Finding:
    """It works, and could be better, or cannot be told from here."""
    return Finding(subject, Level.ADVICE, detail)


def mend(subject: str, detail: str) -> Finding:
    """It has to be mended."""
    return Finding(subject, Level.MEND, detail)
