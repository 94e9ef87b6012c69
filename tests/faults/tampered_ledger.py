"""R13: somebody who owns the database does to a ledger what he likes."""

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from optout_service.evidence import checkpoints
from optout_service.runtime import Connection, Runtime
from optout_service.store import chain
from optout_service.store.tables import event
from tests import stage
from tests.evidence.acts import disarm, fill, undone
from tests.evidence.deeds import BLUNT, BY_THE_BOOK, Deed
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground

_MARKED: Final = 20
_EVENTS: Final = 26
"""The newest checkpoint, kept elsewhere, is of the event before the last six."""

Rows = dict[int, dict[str, Any]]


def run(ground: Ground, size: Size) -> Figure:
    """Deeds at random, one to three at once; each is put back, and the next one done."""
    settings = stage.settings_for(
        ground.database(), checkpoint_dir=str(ground.folder / "checkpoints")
    )
    rt = Runtime.set_up(settings, stage.KEYS)
    try:
        return _tried(rt, stage.set_up(rt).acme, size.pick(150, 10_000))
    finally:
        rt.close()


def _tried(rt: Runtime, of: int, count: int) -> Figure:
    for events in (7, 7, _MARKED - 14):
        fill(rt, of, events)
        checkpoints.write(rt)
    fill(rt, of, _EVENTS - _MARKED)
    disarm(rt)
    marks = checkpoints.read(rt, of).marks
    found, broken = Counter[str](), []
    with rt.reading() as connection:
        before, head = _rows(connection, of), chain.position(connection, of)
    for seed in range(count):
        chance = random.Random(seed)
        deeds = chance.choices([*BLUNT, *BY_THE_BOOK], k=chance.choice([1, 1, 1, 2, 3]))
        with undone(rt) as connection:
            for deed in deeds:
                deed(connection, of, _EVENTS, chance)
            after = _rows(connection, of)
            walked = chain.verify(connection, of, rt.keys, marks)
            stands = chain.position(connection, of)
        if not walked.whole:
            found["found"] += 1
        elif after == before and stands == head:
            found["undone by themselves"] += 1
        elif _is_beyond(before, after, deeds):
            found["beyond"] += 1
        else:
            names = ", ".join(deed.__name__ for deed in deeds)
            broken.append(f"seed {seed}: {names}: not found")
    files = _vandalised(checkpoints.path(rt, of), rt, of, marks, max(count // 5, 20))
    return Figure(
        f"{found['found']:,} of {count:,} found; {found['beyond']:,} touched only what came after "
        "the newest checkpoint and chained it anew, which nothing can show (docs/evidence.md); of "
        f"{files.total():,} vandalised checkpoint files {files['told']:,} were told of, the others "
        "proved less and nothing else",
        tuple(broken) + tuple(key for key in files if key not in ("told", "less")),
    )


def _rows(connection: Connection, of: int) -> Rows:
    """The ledger without the payloads that an erasure may take."""
    query = select(event).where(event.c.tenant == of)
    rows = {row["number"]: dict(row) for row in connection.execute(query).mappings()}
    for row in rows.values():
        if row["private"] is None:
            row["salt"] = None
    return rows


def _is_beyond(before: Rows, after: Rows, deeds: list[Deed]) -> bool:
    """Whether all that was done was done after the newest checkpoint, and by the book."""
    kept = {n: _public(row) for n, row in before.items() if n <= _MARKED}
    return {n: _public(row) for n, row in after.items() if n <= _MARKED} == kept and any(
        deed in BY_THE_BOOK for deed in deeds
    )


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("salt", "private")}


def _vandalised(
    file: Path, rt: Runtime, of: int, marks: Mapping[int, bytes], count: int
) -> Counter[str]:
    """The service's own file: lines gone, turned round, cut off, a byte another."""
    whole, seen, copy = file.read_bytes(), Counter[str](), file.with_name("vandalised")
    for seed in range(count):
        chance, data = random.Random(seed), bytearray(whole)
        lines = whole.splitlines(keepends=True)
        match chance.randrange(4):
            case 0:
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            case 1:
                data = data[: chance.randrange(len(data))]
            case 2:
                data = bytearray(b"".join(chance.sample(lines, chance.randrange(len(lines)))))
            case _:
                first, second = (chance.randrange(len(data)) for _ in range(2))
                data[first], data[second] = data[second], data[first]
        copy.write_bytes(bytes(data))
        kept = checkpoints.read(rt, of, copy)
        if not kept.marks.items() <= marks.items():
            seen[f"checkpoint file, seed {seed}: it proves what it never said"] += 1
        elif len(kept.marks) < len(marks):
            seen["told" if kept.faults else "less"] += 1
        else:
            seen["less"] += 1
    return seen
