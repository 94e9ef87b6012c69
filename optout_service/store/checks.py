"""The question every sender asks before each send. One prepared statement, and as little as can be.

The statement brings the verdict together with what makes it true: the ledger's position, that the
database was made with our keys, that the topic exists, and that the caller's key is valid now. A
row comes back even when nothing is suppressed; where none comes back, nothing is answered.

It runs on the driver's own connection: measured in the server, SQLAlchemy's statement layer costs
three times as much as all the rest of the look-up.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from optout_service.core.covers import Regime
from optout_service.core.errors import (
    NotFound,
    OptOutError,
    Quarantined,
    StoreUnavailable,
    Unauthenticated,
    UnknownTopic,
    WrongKeys,
)
from optout_service.core.instant import from_micros, to_micros
from optout_service.core.policy import Suppression, Verdict
from optout_service.core.scope import Scope
from optout_service.store.codes import (
    CHANNEL,
    PURPOSE,
    REASON,
    SOURCE,
)
from optout_service.store.seal import in_quarantine

_REASON: Final = {number: word for word, number in REASON.items()}
_SOURCE: Final = {number: word for word, number in SOURCE.items()}
_CHANNEL: Final = {number: word for word, number in CHANNEL.items()}
_PURPOSE: Final = {number: word for word, number in PURPOSE.items()}

_CHUNK: Final = 500
"""Digests in one IN list on SQLite: sorted chunks of this size were the fastest measured."""

Narrow = Callable[[Any, list[bytes]], list[bytes]]
"""From the connection and sorted forms of digests to those of them that may be suppressed."""

_ONE_STATE: Final = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

_CHECK: Final = """
SELECT t.seq,
       ({p} = '-' OR EXISTS (SELECT 1 FROM topic o WHERE o.tenant = t.id AND o.slug = {p})),
       s.digest, s.tenant, s.channel, s.topic, s.purpose, s.reason, s.source, s.since, s.event
FROM seal
JOIN tenant t ON t.id = {p}
LEFT JOIN {suppressions}
WHERE seal.id = 1 AND seal.pepper = {p}{primary}
  AND ({p} = 0 OR EXISTS (
        SELECT 1 FROM api_key k
        WHERE k.id = {p} AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > {p})))
"""

MATCHES: Final = """s.tenant IN (0, {tenant})
 AND s.channel IN (0, {p}) AND s.topic IN ('*', {p}) AND s.purpose IN (0, {p})"""
"""Which suppressions ``s`` touch what is asked: each part is the one asked for, or all."""

_TOGETHER: Final = f"suppression s ON s.digest {{digests}} AND {MATCHES}"

EACH: Final = """unnest(%s::bytea[]) AS wanted (digest)
CROSS JOIN LATERAL (
    SELECT s.* FROM suppression s WHERE s.digest = wanted.digest AND {matches} OFFSET 0
) s"""
"""What stands of many digests, on PostgreSQL: each is looked up by itself, in its own partition.

With ``= ANY``, each partition is asked for all of them. OFFSET is for the planner, who would else
read a table whole that he takes for small.
"""

_PRIMARY: Final = " AND NOT pg_is_in_recovery()"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, by whom, under which keys.

    ``asked``: one channel, one topic (``*``: none is named) and one purpose.
    ``api_key``: the id of the key that asks, 0 for the command line. ``regime``: how the asker
    takes the digests to be stored; the answer proves it. ``at``: now. ``proven``: whether a standby
    may answer too, as it was proven where it stands (``store.replica``); else its rows may be old,
    and none come.
    """

    tenant: int
    asked: Scope
    api_key: int
    regime: Regime
    at: datetime
    proven: bool = False


class Checks:
    """The check of one kind of database. ``connection`` is always the driver's own."""

    def __init__(self, dialect: str) -> None:
        """``dialect``: ``sqlite`` or ``postgresql``."""
        self._sqlite = dialect == "sqlite"
        self._mark = "?" if self._sqlite else "%s"
        anywhere, primary = "", "" if self._sqlite else _PRIMARY
        self._one, self._two, self._any = (
            {
                proven: _statement(self._mark, suppressions, where)
                for proven, where in ((False, primary), (True, anywhere))
            }
            for suppressions in (
                _together(self._mark, f"= {self._mark}"),
                # While digests move, of each there are two forms.
                _together(self._mark, f"IN ({self._mark}, {self._mark})"),
                f"({EACH.format(matches=MATCHES.format(tenant='t.id', p=self._mark))}) ON TRUE",
            )
        )

    def check(self, connection: Any, question: Question, digest: bytes) -> Verdict:
        """The verdict for one digest.

        Raises UnknownTopic, Unauthenticated (the key was revoked or has expired), WrongKeys,
        Quarantined, NotFound (no such tenant), StoreUnavailable. Never answers without a good read.
        """
        forms = question.regime.forms(digest)
        statement = (self._one if len(forms) == 1 else self._two)[question.proven]
        rows = self._read(connection, statement, question, forms)
        self._prove(connection, question, rows)
        return Verdict(
            tuple(_suppression(row) for row in rows if row[2] is not None),
            as_of=rows[0][0],
        )

    def check_many(
        self,
        connection: Any,
        question: Question,
        digests: Iterable[bytes],
        narrow: Narrow | None = None,
    ) -> tuple[dict[bytes, list[Suppression]], int]:
        """The suppressed among many digests, each with all that matches, and the ledger's position.

        One snapshot serves them all, so that the position is true for the whole answer. ``narrow``
        may leave out, within that snapshot, digests that are not suppressed. Raises as ``check``
        does.
        """
        given = list(dict.fromkeys(digests))
        digest_of = question.regime.digests_by_form(given)
        ordered = sorted(digest_of)
        if self._sqlite or narrow is not None:
            rows = self._read_in_one_state(connection, question, ordered, narrow)
        else:
            rows = self._read(connection, self._any[question.proven], question, (ordered,))
        self._prove(connection, question, rows)
        found: dict[bytes, list[Suppression]] = {}
        for row in rows:
            if row[2] is not None:
                found.setdefault(digest_of[row[2]], []).append(_suppression(row))
        return found, rows[0][0]

    def _read(
        self,
        connection: Any,
        statement: str,
        question: Question,
        digests: tuple[Any, ...],
    ) -> Sequence[Any]:
        parameters = _parameters(question, digests)
        if self._sqlite:
            return connection.execute(statement, parameters).fetchall()  # type: ignore[no-any-return]
        return connection.execute(statement, parameters, binary=True).fetchall()  # type: ignore[no-any-return]

    def _read_in_one_state(
        self,
        connection: Any,
        question: Question,
        ordered: list[bytes],
        narrow: Narrow | None,
    ) -> Sequence[Any]:
        connection.execute(_ONE_STATE["sqlite" if self._sqlite else "postgresql"])
        try:
            if narrow is not None:
                ordered = narrow(connection, ordered)
            if not self._sqlite:
                return self._read(connection, self._any[question.proven], question, (ordered,))
            return self._read_chunks(connection, question, ordered)
        finally:
            connection.execute("ROLLBACK")

    def _read_chunks(
        self, connection: Any, question: Question, ordered: list[bytes]
    ) -> Sequence[Any]:
        rows: list[Any] = []
        for start in range(0, max(len(ordered), 1), _CHUNK):
            chunk = tuple(ordered[start : start + _CHUNK])
            marks = ",".join("?" * len(chunk))
            statement = _statement("?", _together("?", f"IN ({marks})"), "")
            read = self._read(connection, statement, question, chunk)
            if not read:
                return ()
            rows += read
        return rows

    def _prove(self, connection: Any, question: Question, rows: Sequence[Any]) -> None:
        if not rows:
            raise self._why_nothing(connection, question)
        if not rows[0][1]:
            raise UnknownTopic("This tenant has no such topic. Make it first, or ask about *.")

    def _why_nothing(self, connection: Any, question: Question) -> OptOutError:
        seal = connection.execute("SELECT pepper FROM seal WHERE id = 1").fetchone()
        if seal is None:
            return StoreUnavailable("The database is not set up. Run: optout db upgrade.")
        if in_quarantine(seal[0]):
            return Quarantined(
                "The database is behind what was recorded before. Nothing is answered until an "
                "operator has looked: optout evidence quarantine."
            )
        if seal[0] != question.regime.fingerprint:
            return WrongKeys("The database was made with another pepper. Nothing is answered.")
        if (
            not (self._sqlite or question.proven)
            and connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]
        ):
            return StoreUnavailable("The database is a standby, and may be behind. Ask again.")
        known = f"SELECT 1 FROM tenant WHERE id = {self._mark}"
        if connection.execute(known, (question.tenant,)).fetchone() is None:
            return NotFound("There is no such tenant.")
        return Unauthenticated("This API key was revoked, or has expired.")


def _together(mark: str, digests: str) -> str:
    return _TOGETHER.format(tenant="t.id", p=mark, digests=digests)


def _statement(mark: str, suppressions: str, primary: str) -> str:
    return _CHECK.format(p=mark, suppressions=suppressions, primary=primary)


def _parameters(question: Question, digests: tuple[Any, ...]) -> tuple[Any, ...]:
    asked = question.asked.as_question()
    return (
        asked.topic,
        asked.topic,
        question.tenant,
        *digests,
        CHANNEL[asked.channel],
        asked.topic,
        PURPOSE[asked.purpose],
        question.regime.fingerprint,
        question.api_key,
        question.api_key,
        to_micros(question.at),
    )


def _suppression(row: Sequence[Any]) -> Suppression:
    _, _, _, tenant, channel, topic, purpose, reason, source, since, event = row
    return Suppression(
        tenant,
        Scope(_CHANNEL[channel], topic, _PURPOSE[purpose]),
        _REASON[reason],
        _SOURCE[source],
        from_micros(since),
        event,
    )
