"""Core statements without Core's price on every run, for the check's neighbour: ``ledger.record``.

A statement is compiled once for each kind of database, and then runs on the driver's cursor. On
PostgreSQL several go to the server together, in one round trip.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Executable, Select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

Row = tuple[Any, ...]
_Convert = Callable[[Any], Any] | None

# The drivers' own marks for a parameter, by position: the cheapest they know.
_DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.psycopg.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    parameters: tuple[tuple[str, _Convert], ...]
    columns: tuple[_Convert, ...]

    def bind(self, values: Mapping[str, Any]) -> list[Any]:
        return [
            values[name] if convert is None else convert(values[name])
            for name, convert in self.parameters
        ]

    def read(self, rows: Sequence[Row]) -> list[Row]:
        return [
            tuple(
                value if convert is None or value is None else convert(value)
                for value, convert in zip(row, self.columns, strict=True)
            )
            for row in rows
        ]


class Prepared:
    """One statement, for both kinds of database. Every value is a named ``bindparam``."""

    def __init__(self, statement: Executable | Mapping[str, Executable]) -> None:
        """``statement``: one for both, or one by the dialect's name."""
        self._compiled = {
            name: _compile(
                statement[name] if isinstance(statement, Mapping) else statement,
                dialect,
            )
            for name, dialect in _DIALECTS.items()
        }

    def on(self, connection: Connection) -> _Compiled:
        """The statement in the words of this connection's database."""
        return self._compiled[connection.dialect.name]


Run = tuple[Prepared, Mapping[str, Any]]


def run(connection: Connection, *runs: Run) -> list[list[Row]]:
    """Run statements one after the other in the connection's transaction; give each one's rows."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return [_run(driver, statement.on(connection), values) for statement, values in runs]
    compiled = [(statement.on(connection), values) for statement, values in runs]
    with driver.pipeline():
        cursors = [driver.execute(one.text, one.bind(values)) for one, values in compiled]
    return [
        one.read(cursor.fetchall()) if one.columns else []
        for (one, _), cursor in zip(compiled, cursors, strict=True)
    ]


def run_many(
    connection: Connection, statement: Prepared, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Run one statement for each row, in order, in few round trips."""
    if rows:
        compiled = statement.on(connection)
        driver: Any = connection.connection.driver_connection
        driver.cursor().executemany(compiled.text, [compiled.bind(row) for row in rows])


def joined(results: Iterable[Sequence[Row]]) -> list[Row]:
    """The rows of several, one after the other."""
    return [row for rows in results for row in rows]


def _run(driver: Any, compiled: _Compiled, values: Mapping[str, Any]) -> list[Row]:
    cursor = driver.execute(compiled.text, compiled.bind(values))
    return compiled.read(cursor.fetchall()) if compiled.columns else []


def _compile(statement: Executable, dialect: Dialect) -> _Compiled:
    assert isinstance(statement, ClauseElement)
    compiled: Any = statement.compile(dialect=dialect)
    columns: tuple[ColumnElement[Any], ...] = (
        tuple(statement.selected_columns) if isinstance(statement, Select) else ()
    )
    return _Compiled(
        str(compiled),
        tuple(
            (
                name,
                compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect),
            )
            for name in compiled.positiontup
        ),
        tuple(
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ),
    )
