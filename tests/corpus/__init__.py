"""What people text to a brand's number, and what a compliance officer reads in it.

README.md has the policy, and the rule for the half that nobody fits to.
"""

import hashlib
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from optout_service.core.keyword import Intent

FOLDER = Path(__file__).parent


class Half(StrEnum):
    """Rules are fitted to the one, and reported on the other."""

    DEV = "dev"
    HELDOUT = "heldout"


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"tests": "class"}):
    """One text with its label. ``tests`` is the class: what makes the message hard, or easy."""

    text: str
    language: str
    intent: Intent
    tests: str


@cache
def load(half: Half) -> tuple[Message, ...]:
    """The messages of one half, in the order of the file."""
    lines = (FOLDER / f"{half}.jsonl").read_bytes()
    return tuple(msgspec.json.Decoder(Message).decode_lines(lines))


def half_of(text: str) -> Half:
    """Where a text belongs: its SHA-256, read as a number, is even for DEV and odd for HELDOUT."""
    odd = hashlib.sha256(text.encode()).digest()[-1] % 2
    return Half.HELDOUT if odd else Half.DEV
