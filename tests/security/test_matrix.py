"""The matrix of doors and callers: that it is whole, and that it can fail.

The matrix itself is trial R12 of ``tests/faults``, tried by the suite on both databases.
"""

import pytest
from flask import Flask

from optout_service.api import auth
from optout_service.api.auth import Permission
from optout_service.runtime import Runtime
from optout_service.store import tenants
from optout_service.store.keys import Role
from tests.api.test_auth import WHO_MAY
from tests.faults.figures import Size
from tests.security.doors import BY_ID, BY_THE_PLATFORM, undeclared
from tests.security.matrix import Cell, Matrix, changed, rows
from tests.stage import Cast

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def matrix(rt: Runtime, cast: Cast) -> Matrix:
    return Matrix(rt, cast)


def of(matrix: Matrix, rule: str) -> list[Cell]:
    return [cell for cell in matrix.cells(Size.BOUNDED) if cell.door.rule == rule]


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    assert undeclared(app) == set()
    assert set(BY_ID) | set(BY_THE_PLATFORM) <= set(WHO_MAY)


def test_a_route_without_a_row_is_found(dialect: str) -> None:
    other = Flask("another")
    other.add_url_rule("/v1/back-door", "back door", lambda: "", methods=["GET"])
    assert ("GET", "/v1/back-door") in undeclared(other)


def test_a_role_that_may_too_much_is_found(matrix: Matrix, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = of(matrix, "/v1/topics")
    more = auth.MAY[Role.SENDER] | {Permission.TOPICS}
    monkeypatch.setitem(auth.MAY, Role.SENDER, more)  # type: ignore[arg-type]
    broken = list(matrix.broken(cells))
    assert "acme's sender at POST /v1/topics: 201 instead of 403" in broken
    assert "topic was changed by who was refused" in broken


def test_a_view_that_reaches_into_another_tenant_is_found(
    matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = tenants.rename_topic

    def acmes(connection: object, _: int, *rest: object) -> object:
        return genuine(connection, matrix.cast.acme, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(tenants, "rename_topic", acmes)
    broken = list(matrix.broken(of(matrix, "/v1/topics/<slug>")))
    assert "bolt's admin at PATCH /v1/topics/<slug>: 200 instead of 404" in broken


def test_a_change_of_one_row_is_seen(rt: Runtime, cast: Cast) -> None:
    before, acmes = rows(rt), rows(rt, cast.acme)
    with rt.writing() as connection:
        tenants.create_topic(connection, cast.bolt, "new")
    assert changed(before, rt) == ["topic"]
    assert changed(acmes, rt, cast.acme) == []
