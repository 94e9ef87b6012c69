"""Every trial of the table, in the part that the suite has time for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import needs
from tests.faults.figures import Size, Trial
from tests.faults.ground import Ground
from tests.faults.trials import TRIALS

CASES = [
    pytest.param(
        trial,
        dialect,
        id=f"{trial.name}-{dialect}",
        marks=[needs.without(trial.needs)] if trial.needs else [],
    )
    for trial in TRIALS
    for dialect in trial.dialects
]


@pytest.fixture
def ground(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ground]:
    made = Ground(dialect, tmp_path, lambda: request.getfixturevalue("postgres"))
    yield made
    made.close()


@pytest.mark.parametrize(("trial", "dialect"), CASES)
def test_what_must_hold_under_this_fault_holds(trial: Trial, ground: Ground) -> None:
    figure = trial.run(ground, Size.BOUNDED)
    assert figure.broken == (), figure.found
