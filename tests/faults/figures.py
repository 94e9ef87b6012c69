"""What a trial found: one line of docs/reliability.md."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from tests.faults.ground import Ground


class Size(Enum):
    """How much of it: a bounded part in the suite, all of it by ``python -m tests.faults``."""

    BOUNDED = "bounded"
    FULL = "full"

    def pick(self, bounded: int, full: int) -> int:
        """One of two numbers."""
        return bounded if self is Size.BOUNDED else full


@dataclass(frozen=True, slots=True)
class Figure:
    """One claim, measured on one kind of database.

    ``found``: a short sentence with the numbers in it. ``broken``: each case in which the claim
    did not hold, in words that let somebody find it again; none: it held.
    """

    found: str
    broken: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether the claim held everywhere."""
        return not self.broken


Run = Callable[[Ground, Size], Figure]


@dataclass(frozen=True, slots=True)
class Trial:
    """One fault, and what must hold under it.

    ``row``: R1 to R19. ``fault``, ``must_hold``: two cells of the table. ``dialects``: on which
    databases it can be tried; ``("none",)`` where none takes part. ``needs``: a program.
    """

    row: str
    fault: str
    must_hold: str
    run: Run
    dialects: tuple[str, ...] = ("sqlite", "postgresql")
    needs: str = ""

    @property
    def name(self) -> str:
        """What tells it from the others of its row: the module and the function that run it."""
        return f"{self.row}-{self.run.__module__.rpartition('.')[2]}-{self.run.__name__}"
