"""What a reading is: an intent, the rule that fired, and the language of that rule."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Intent(StrEnum):
    """What a message asks for."""

    OPT_OUT = "opt_out"
    REVIEW = "review"
    HELP = "help"
    OPT_IN = "opt_in"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says, the rule that says so, and the language of that rule."""

    intent: Intent
    rule: str
    language: str


NOTHING: Final = Reading(Intent.NONE, "none", "")
