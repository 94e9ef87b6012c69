"""Whoever can write to the database can do anything to it; against a checkpoint it shows.

``tests.faults.tampered_ledger`` does all of it, thousands of times; here stands what is no deed,
and what cannot be found without a checkpoint.
"""

import random

import pytest
from sqlalchemy import text, update

from optout_service.evidence import checkpoints
from optout_service.runtime import Runtime
from optout_service.store import chain
from optout_service.store.tables import event
from tests.evidence.acts import disarm, fill, undone
from tests.evidence.deeds import Deed, cut, leave_out, rewrite
from tests.stage import Cast

EVENTS = 24


@pytest.fixture
def marked(rt: Runtime, cast: Cast) -> checkpoints.Kept:
    """A ledger without its guards, and the checkpoint of its head."""
    fill(rt, cast.acme, EVENTS)
    disarm(rt)
    checkpoints.write(rt)
    return checkpoints.read(rt, cast.acme)


@pytest.mark.parametrize("deed", [cut, rewrite, leave_out], ids=lambda d: d.__name__)
def test_without_a_checkpoint_these_are_not_found(
    rt: Runtime, cast: Cast, marked: checkpoints.Kept, deed: Deed
) -> None:
    """What the checkpoints are for; the chain alone cannot know of it."""
    with undone(rt) as connection:
        deed(connection, cast.acme, EVENTS, random.Random(1))
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
