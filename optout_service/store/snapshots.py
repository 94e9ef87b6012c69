"""What stands at one moment, for many questions: a scrub asks about each row of a list.

The answer to a long list shall be true for one position of the ledger, however long the list takes
to arrive. So all is read within one transaction, and what makes an answer true is proven in it
first, as in ``checks``.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final, Protocol

from optout_service.core.covers import split
from optout_service.store.checks import EACH, MATCHES, Checks, Question
from optout_service.store.codes import CHANNEL, PURPOSE

_CHUNK: Final = {"sqlite": 500, "postgresql": 10_000}
_TOGETHER: Final = (
    "SELECT s.digest FROM suppression s WHERE s.digest IN ({marks}) AND "
    f"{MATCHES.format(tenant='?', p='?')}"
)
_EACH: Final = f"SELECT s.digest FROM {EACH.format(matches=MATCHES.format(tenant='%s', p='%s'))}"


class Snapshot(Protocol):
    """What stands for one question, true for the ledger's position ``as_of``."""

    @property
    def as_of(self) -> int:
        """The position."""

    def probe(self, digests: bytes) -> bytes:
        """From digests of 16 bytes, one after the other, to a byte for each: 1 if suppressed.

        Raises what the database raises. Never answers without a good read.
        """


class Held:
    """The exact way: each look-up goes to the store, within a transaction that is held open."""

    def __init__(self, dialect: str, connection: Any, question: Question) -> None:
        """``connection``: the driver's, in a transaction that sees one state.

        Raises as ``Checks.check`` does.
        """
        self.as_of = Checks(dialect).check(connection, question, b"").as_of
        self._dialect = dialect
        self.connection = connection
        self.question = question

    def probe(self, digests: bytes) -> bytes:
        """As ``Snapshot.probe``."""
        forms = [split(form) for form in self.question.regime.forms(digests)]
        found = self.suppressed(chain.from_iterable(forms))
        return bytes([any(one in found for one in each) for each in zip(*forms, strict=True)])

    def suppressed(self, digests: Iterable[bytes]) -> set[bytes]:
        """Those that are suppressed, of digests as they are stored."""
        # Sorted, the pages of the table are walked in order.
        ordered = sorted(set(digests))
        size = _CHUNK[self._dialect]
        found: set[bytes] = set()
        for start in range(0, len(ordered), size):
            found.update(row[0] for row in self._read(ordered[start : start + size]))
        return found

    def _read(self, digests: list[bytes]) -> Sequence[Any]:
        asked = self.question.asked.as_question()
        rest = (
            self.question.tenant,
            CHANNEL[asked.channel],
            asked.topic,
            PURPOSE[asked.purpose],
        )
        if self._dialect == "sqlite":
            statement = _TOGETHER.format(marks=",".join("?" * len(digests)))
            return self.connection.execute(statement, (*digests, *rest)).fetchall()  # type: ignore[no-any-return]
        return self.connection.execute(_EACH, (digests, *rest), binary=True).fetchall()  # type: ignore[no-any-return]
