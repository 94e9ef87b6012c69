"""The table of law and reliability, R1 to R19, and what tries each row."""

from typing import Final

from tests.faults import settings_that_forget
from tests.faults.figures import Trial

TRIALS: Final[tuple[Trial, ...]] = (
    Trial(
        "R3",
        "a database that may forget what it wrote",
        "the service refuses to start over it",
        settings_that_forget.refused,
    ),
)
"""In the order of the table; a row may have several."""
