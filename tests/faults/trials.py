"""The table of law and reliability, R1 to R19, and what tries each row."""

from typing import Final

from tests.faults import killing, settings_that_forget
from tests.faults.figures import Trial
from tests.security import matrix

TRIALS: Final[tuple[Trial, ...]] = (
    Trial(
        "R1",
        "workers, master and database killed while people leave through every door",
        "0 acknowledged lost; the rest absent or complete; chain and feed whole",
        killing.survived,
    ),
    Trial(
        "R3",
        "a database that may forget what it wrote",
        "the service refuses to start over it",
        settings_that_forget.refused,
    ),
    Trial(
        "R12",
        "every path and method, by every key, role, tenant and stranger",
        "what no table allows is denied and changes nothing; no route is without a row",
        matrix.held,
    ),
)
"""In the order of the table; a row may have several."""
