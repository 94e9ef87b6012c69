"""Whoever can write to the database can do anything to it; against a checkpoint it shows."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, text, update

from optout_service.core import chain as core_chain
from optout_service.evidence import checkpoints
from optout_service.runtime import Connection, Runtime
from optout_service.store import chain
from optout_service.store.codes import ACTION, CHANNEL, KIND, PURPOSE, REASON, SOURCE
from optout_service.store.tables import event, tenant
from tests.evidence.acts import disarm, fill, undone
from tests.stage import Cast

EVENTS = 24
Deed = Callable[[Connection, int, random.Random], object]

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


def edit(connection: Connection, of: int, chance: random.Random) -> None:
    """One value of one event is another."""
    number = chance.randint(1, EVENTS)
    there = event.c.tenant == of, event.c.number == number
    name = chance.choice([*_WORDS, *_BYTES, *_TEXTS, "changed", "occurred_at", "recorded_at"])
    column = event.c[name]
    before = connection.execute(select(column).where(*there)).scalar()
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
        after = before.replace(microsecond=(before.microsecond + 1) % 1_000_000)  # type: ignore[union-attr]
    connection.execute(update(event).where(*there).values({name: after}))


def erase_one_half(connection: Connection, of: int, chance: random.Random) -> None:
    """The salt is gone and the payload is not: no erasure of ours does that."""
    number = chance.randint(1, EVENTS)
    there = event.c.tenant == of, event.c.number == number
    connection.execute(update(event).where(*there).values(salt=None))


def remove(connection: Connection, of: int, chance: random.Random) -> None:
    """Some events are gone."""
    gone = chance.sample(range(1, EVENTS + 1), chance.randint(1, 4))
    connection.execute(delete(event).where(event.c.tenant == of, event.c.number.in_(gone)))


def reorder(connection: Connection, of: int, chance: random.Random) -> None:
    """Two events have changed places."""
    one, other = chance.sample(range(1, EVENTS + 1), 2)
    for number, to in ((one, -1), (other, one), (-1, other)):
        there = event.c.tenant == of, event.c.number == number
        connection.execute(update(event).where(*there).values(number=to))


def cut(connection: Connection, of: int, chance: random.Random) -> None:
    """The end is gone, and the head says so: the ledger of an older backup."""
    last = chance.randint(0, EVENTS - 1)
    head = chain.hash_at(connection, of, last)
    connection.execute(delete(event).where(event.c.tenant == of, event.c.number > last))
    connection.execute(update(tenant).where(tenant.c.id == of).values(seq=last, head=head))


def rewrite(connection: Connection, of: int, chance: random.Random) -> None:
    """An event is another, and all after it were chained anew, head and all."""
    first = chance.randint(1, EVENTS)
    there = event.c.tenant == of, event.c.number == first
    connection.execute(update(event).where(*there).values(actor="somebody else"))
    chain_anew(connection, of, first)


def leave_out(connection: Connection, of: int, chance: random.Random) -> None:
    """An event was taken out, those after it moved up, and all was chained anew."""
    gone = chance.randint(1, EVENTS - 1)
    connection.execute(delete(event).where(event.c.tenant == of, event.c.number == gone))
    for number in range(gone + 1, EVENTS + 1):
        there = event.c.tenant == of, event.c.number == number
        connection.execute(
            update(event).where(*there).values(number=number - 1, salt=None, private=None)
        )
    connection.execute(update(tenant).where(tenant.c.id == of).values(seq=EVENTS - 1))
    chain_anew(connection, of, gone)


def chain_anew(connection: Connection, of: int, first: int) -> None:
    previous = chain.hash_at(connection, of, first - 1) or core_chain.GENESIS
    query = select(event).where(event.c.tenant == of, event.c.number >= first)
    for row in connection.execute(query.order_by(event.c.number)).mappings().all():
        previous = chain.entry_hash(previous, row)
        there = event.c.tenant == of, event.c.number == row["number"]
        connection.execute(update(event).where(*there).values(hash=previous))
    connection.execute(update(tenant).where(tenant.c.id == of).values(head=previous))


@pytest.fixture
def marked(rt: Runtime, cast: Cast) -> checkpoints.Kept:
    """A ledger without its guards, and the checkpoint of its head."""
    fill(rt, cast.acme, EVENTS)
    disarm(rt)
    checkpoints.write(rt)
    return checkpoints.read(rt, cast.acme)


@pytest.mark.parametrize(
    "deed",
    [edit, erase_one_half, remove, reorder, cut, rewrite, leave_out],
    ids=lambda d: d.__name__,
)
def test_every_deed_is_found(rt: Runtime, cast: Cast, marked: checkpoints.Kept, deed: Deed) -> None:
    for seed in range(60 if deed is edit else 20):
        with undone(rt) as connection:
            deed(connection, cast.acme, random.Random(seed))
            walked = chain.verify(connection, cast.acme, rt.keys, marked.marks)
            assert not walked.whole, f"seed {seed}"
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys, marked.marks).whole, "put back"


@pytest.mark.parametrize("deed", [cut, rewrite, leave_out], ids=lambda d: d.__name__)
def test_without_a_checkpoint_these_are_not_found(
    rt: Runtime, cast: Cast, marked: checkpoints.Kept, deed: Deed
) -> None:
    """What the checkpoints are for; the chain alone cannot know of it."""
    with undone(rt) as connection:
        deed(connection, cast.acme, random.Random(1))
        assert chain.verify(connection, cast.acme, rt.keys).whole


def test_a_value_that_nobody_writes_is_a_finding_and_not_a_crash(
    rt: Runtime, cast: Cast, marked: checkpoints.Kept
) -> None:
    with undone(rt) as connection:
        connection.execute(text("UPDATE event SET action = 99 WHERE number = 7"))
        walked = chain.verify(connection, cast.acme, rt.keys)
        assert (walked.broken_at, walked.fault) == (7, "edited: it holds what nobody writes")


def test_what_is_recorded_after_a_checkpoint_leaves_it_met(
    rt: Runtime, cast: Cast, marked: checkpoints.Kept
) -> None:
    fill(rt, cast.acme, 5)
    with rt.reading() as connection:
        assert chain.verify(connection, cast.acme, rt.keys, marked.marks).events == EVENTS + 5


def test_an_erasure_of_private_evidence_is_no_deed(
    rt: Runtime, cast: Cast, marked: checkpoints.Kept
) -> None:
    with undone(rt) as connection:
        connection.execute(update(event).values(salt=None, private=None))
        assert chain.verify(connection, cast.acme, rt.keys, marked.marks).whole
