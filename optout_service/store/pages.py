"""A page at a time: by the sort key of the last row, so that no row is skipped or given twice."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, tuple_

from optout_service.core import cursor as cursors


def page(
    conn: Connection,
    query: Select[Any],
    order: Sequence[Column[Any]],
    *,
    cursor: str | None,
    limit: int,
) -> tuple[list[Any], str | None]:
    """At most ``limit`` rows after the cursor, and the cursor of what follows, None on the last.

    ``order``: the sort key, unique, of texts and numbers; each must be in the query. Raises
    Malformed for a cursor that none of our pages gave.
    """
    if cursor is not None:
        last = cursors.read(cursor, [column.type.python_type for column in order])
        query = query.where(tuple_(*order) > tuple_(*last, types=[c.type for c in order]))
    rows = conn.execute(query.order_by(*order).limit(limit + 1)).all()
    if len(rows) <= limit:
        return list(rows), None
    ending = rows[limit - 1]._mapping
    return list(rows[:limit]), cursors.write([ending[column] for column in order])
