"""What somebody who owns the database can do to a ledger of so many events, at random."""

import random
from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, insert, select, update

from optout_service.core import chain as core_chain
from optout_service.runtime import Connection
from optout_service.store import chain
from optout_service.store.codes import ACTION, CHANNEL, KIND, PURPOSE, REASON, SOURCE
from optout_service.store.tables import event, tenant

Deed = Callable[[Connection, int, int, random.Random], object]

_WORDS = {
    "action": ACTION,
    "kind": KIND,
    "channel": CHANNEL,
    "purpose": PURPOSE,
    "reason": REASON,
    "source": SOURCE,
}
_BYTES = {"digest": 16, "commitment": 32, "hash": 32, "salt": 16, "private": 40}
_TEXTS = ("topic", "actor", "provider", "account", "message_id")


def edit(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """One value of one event is another."""
    number = chance.randint(1, events)
    there = event.c.tenant == of, event.c.number == number
    name = chance.choice([*_WORDS, *_BYTES, *_TEXTS, "changed", "occurred_at", "recorded_at"])
    found = connection.execute(select(event.c[name]).where(*there)).one_or_none()
    if found is None:
        return  # an earlier deed took it away
    (before,) = found
    after: object
    if name in _WORDS:
        after = chance.choice([word for word in _WORDS[name] if word != before])
    elif name in _BYTES:
        after = chance.randbytes(_BYTES[name])
    elif name in _TEXTS:
        after = f"{before}x"
    elif name == "changed":
        after = not before
    else:
        after = before.replace(microsecond=(before.microsecond + 1) % 1_000_000)
    connection.execute(update(event).where(*there).values({name: after}))


def erase_one_half(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """The salt is gone and the payload is not: no erasure of ours does that."""
    number = chance.randint(1, events)
    there = event.c.tenant == of, event.c.number == number
    connection.execute(update(event).where(*there).values(salt=None))


def remove(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """Some events are gone."""
    gone = chance.sample(range(1, events + 1), chance.randint(1, 4))
    connection.execute(delete(event).where(event.c.tenant == of, event.c.number.in_(gone)))


def reorder(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """Two events have changed places."""
    one, other = chance.sample(range(1, events + 1), 2)
    for number, to in ((one, -1), (other, one), (-1, other)):
        there = event.c.tenant == of, event.c.number == number
        connection.execute(update(event).where(*there).values(number=to))


def cut(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """The end is gone, and the head says so: the ledger of an older backup."""
    last = chance.randint(0, events - 1)
    head = chain.hash_at(connection, of, last) or core_chain.GENESIS
    connection.execute(delete(event).where(event.c.tenant == of, event.c.number > last))
    connection.execute(update(tenant).where(tenant.c.id == of).values(seq=last, head=head))


def rewrite(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """An event is another, and all after it were chained anew, head and all."""
    first = chance.randint(1, events)
    there = event.c.tenant == of, event.c.number == first
    connection.execute(update(event).where(*there).values(actor="somebody else"))
    chain_anew(connection, of, first)


def leave_out(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """An event was taken out, those after it moved up, and all was chained anew."""
    gone = chance.randint(1, events - 1)
    connection.execute(delete(event).where(event.c.tenant == of, event.c.number == gone))
    for number in range(gone + 1, events + 1):
        there = event.c.tenant == of, event.c.number == number
        connection.execute(
            update(event).where(*there).values(number=number - 1, salt=None, private=None)
        )
    connection.execute(update(tenant).where(tenant.c.id == of).values(seq=events - 1))
    chain_anew(connection, of, gone)


def slip_in(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """An event that never was stands after the last one, chained on by the book."""
    taken = select(event).where(event.c.tenant == of).order_by(event.c.number.desc()).limit(1)
    row = connection.execute(taken).mappings().one_or_none()
    if row is None:
        return  # an earlier deed took all of them away
    last: int = row["number"]
    made = dict(row) | {"number": last + 1, "salt": None, "private": None}
    connection.execute(insert(event), made)
    connection.execute(update(tenant).where(tenant.c.id == of).values(seq=last + 1))
    chain_anew(connection, of, last + 1)


def another_head(connection: Connection, of: int, events: int, chance: random.Random) -> None:
    """The ledger is said to be longer, shorter, or to end in something else."""
    values: dict[str, object] = chance.choice(
        [
            {"seq": chance.randint(0, events - 1)},
            {"seq": events + 9},
            {"head": chance.randbytes(32)},
        ]
    )
    connection.execute(update(tenant).where(tenant.c.id == of).values(values))


def chain_anew(connection: Connection, of: int, first: int) -> None:
    previous = chain.hash_at(connection, of, first - 1) or core_chain.GENESIS
    query = select(event).where(event.c.tenant == of, event.c.number >= first)
    for row in connection.execute(query.order_by(event.c.number)).mappings().all():
        previous = chain.entry_hash(previous, row)
        there = event.c.tenant == of, event.c.number == row["number"]
        connection.execute(update(event).where(*there).values(hash=previous))
    connection.execute(update(tenant).where(tenant.c.id == of).values(head=previous))


BLUNT: Final[tuple[Deed, ...]] = (edit, erase_one_half, remove, reorder, another_head)
"""Deeds that the chain itself shows."""

BY_THE_BOOK: Final[tuple[Deed, ...]] = (cut, rewrite, leave_out, slip_in)
"""Deeds after which the chain is whole again: a checkpoint alone shows them."""
