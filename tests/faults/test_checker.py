"""The judge is judged: a good history passes, and each forged one is found for what it is."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from tests.faults.checker import Aftermath, violations
from tests.faults.history import Call, History, Told

ANA, BO, CY = "ana", "bo", "cy"
"""Ana's opt-out is acknowledged, Bo's is not known, Cy never asked."""


@dataclass
class Case:
    """A history and what was found after it, to be forged."""

    history: History
    after: Aftermath

    def add(self, door: str, address: str, begun: float, told: Told, position: int | None) -> None:
        self.history.calls.append(Call(door, address, begun, begun + 1, told, position))

    def hold(self, *events: tuple[int, str], **suppressed: int) -> None:
        self.after = replace(self.after, events=events, suppressed=suppressed)


def good() -> Case:
    case = Case(History(), Aftermath(((1, ANA), (2, BO)), {ANA: 1, BO: 2}))
    case.add("check", ANA, 0, Told.ALLOWED, 0)
    case.add("api", ANA, 1.5, Told.STORED, 1)
    case.add("one click", BO, 2, Told.NOTHING, None)
    case.add("check", ANA, 3, Told.SUPPRESSED, 1)
    case.add("batch", CY, 5, Told.ALLOWED, 2)
    case.add("check", CY, 7, Told.UNAVAILABLE, None)
    case.history.followed = [1, 2]
    case.history.outages = [(6.5, 8.5)]
    return case


def test_a_history_in_which_every_promise_was_kept_passes() -> None:
    assert violations(good().history, good().after) == ()


def test_what_was_never_acknowledged_may_be_absent() -> None:
    case = good()
    case.hold((1, ANA), ana=1)
    case.history.calls[4] = replace(case.history.calls[4], position=1)
    case.history.followed = [1]
    assert violations(case.history, case.after) == ()


def lost_write(case: Case) -> None:
    case.hold((1, BO), bo=1)
    case.history.followed = [1]


FORGED: dict[str, tuple[Callable[[Case], object], str]] = {
    "an acknowledged opt-out is gone": (lost_write, "lost: api of ana"),
    "an acknowledged event is another's": (
        lambda case: case.hold((1, BO), (2, ANA), bo=1, ana=2),
        "lost: api of ana",
    ),
    "a check does not see an acknowledged opt-out": (
        lambda case: case.add("check", ANA, 9, Told.ALLOWED, 2),
        "stale: check of ana",
    ),
    "a check stands below what was acknowledged": (
        lambda case: case.add("check", CY, 9, Told.ALLOWED, 0),
        "stale: check of cy",
    ),
    "a check stands below an earlier check": (
        lambda case: case.add("check", CY, 9, Told.ALLOWED, 1),
        "stale: check of cy",
    ),
    "an allowed that names no state": (
        lambda case: case.add("check", CY, 9, Told.ALLOWED, None),
        "unproven: check of cy",
    ),
    "an allowed that knew the opt-out": (
        lambda case: case.add("check", BO, 2, Told.ALLOWED, 2),
        "unproven: check of bo",
    ),
    "an allowed for a state that never was": (
        lambda case: case.add("check", CY, 9, Told.ALLOWED, 3),
        "unproven: check of cy",
    ),
    "an allowed while the database was gone": (
        lambda case: case.add("check", CY, 7, Told.ALLOWED, 2),
        "while there was nothing to read",
    ),
    "suppressed before anybody asked": (
        lambda case: case.add("check", BO, 0, Told.SUPPRESSED, 0),
        "unfounded: check of bo",
    ),
    "an event that nobody asked for": (
        lambda case: case.hold((1, ANA), (2, BO), (3, CY), ana=1, bo=2, cy=3),
        "unfounded: event 3 of cy",
    ),
    "an event without its suppression": (
        lambda case: case.hold((1, ANA), (2, BO), ana=1),
        "half done: bo",
    ),
    "a suppression without its event": (
        lambda case: case.hold((1, ANA), ana=1, bo=2),
        "half done: the suppression of bo",
    ),
    "a suppression that names another's event": (
        lambda case: case.hold((1, ANA), (2, BO), ana=1, bo=1),
        "half done: the suppression of bo",
    ),
    "a chain that does not verify": (
        lambda case: setattr(case, "after", replace(case.after, fault="edited")),
        "chain: edited",
    ),
    "a gap in the ledger": (
        lambda case: case.hold((1, ANA), (3, BO), ana=1, bo=3),
        "gap: the ledger has 3",
    ),
    "a gap in the feed": (
        lambda case: setattr(case.history, "followed", [2]),
        "gap: the feed has 2",
    ),
    "an event twice in the feed": (
        lambda case: setattr(case.history, "followed", [1, 1, 2]),
        "gap: the feed has 1",
    ),
    "an event of the feed that is gone": (
        lambda case: setattr(case.history, "followed", [1, 2, 3]),
        "lost: the feed showed event 3",
    ),
}


@pytest.mark.parametrize("forged", FORGED)
def test_each_broken_promise_is_found(forged: str) -> None:
    forge, expected = FORGED[forged]
    case = good()
    forge(case)
    found = violations(case.history, case.after)
    assert [text for text in found if expected in text], found


def test_a_check_that_began_before_the_acknowledgement_may_say_either() -> None:
    case = good()
    case.add("check", ANA, 2, Told.ALLOWED, 0)
    case.add("check", ANA, 2, Told.SUPPRESSED, 1)
    assert violations(case.history, case.after) == ()
