"""What people text to a brand's number, and what a compliance officer reads in it.

README.md has the policy, and the rule for the part that nobody fits to.
"""

from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from optout_service.core.keyword import Intent

FOLDER = Path(__file__).parent


class Part(StrEnum):
    """Rules are fitted to the first, and reported on the second.

    ``BLIND`` is by an author who saw neither the rules nor the rest.
    """

    DEV = "dev"
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
