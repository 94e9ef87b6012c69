"""What people text to a brand's number, and what a compliance officer reads in it.

README.md has the policy, and the rule for the parts that nobody fits to.
"""

import hashlib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from optout_service.core.keyword import Intent

FOLDER = Path(__file__).parent


class Part(StrEnum):
    """Rules are fitted to the first, and reported on the others.

    ``BLIND`` is by another author, who saw neither the rules nor the rest.
    """

    DEV = "dev"
    HELDOUT = "heldout"
    BLIND = "blind"


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"tests": "class"}):
    """One text with its label. ``tests`` is the class: what makes the message hard, or easy."""

    text: str
    language: str
    intent: Intent
    tests: str


@cache
def load(part: Part) -> tuple[Message, ...]:
    """The messages of one part, in the order of the file."""
    lines = (FOLDER / f"{part}.jsonl").read_bytes()
    return tuple(msgspec.json.Decoder(Message).decode_lines(lines))


def half_of(text: str) -> Part:
    """Where a text of the first author belongs.

    Its SHA-256, read as a number, is even for DEV and odd for HELDOUT.
    """
    odd = hashlib.sha256(text.encode()).digest()[-1] % 2
    return Part.HELDOUT if odd else Part.DEV
