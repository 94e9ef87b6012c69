"""Schemathesis reads the description and attacks the API by it: https://schemathesis.readthedocs.io.

It generates what the schema allows and what it forbids, and looks at every answer: its status, its
type and its shape must be those described, what is forbidden must be refused, no key no answer.
"""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks

from optout_service.api.operations import OPERATIONS
from optout_service.apidocs import openapi

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# A schema cannot say which addresses can be, nor which topics a tenant has: those are refused
# although it allows them.
_TOO_STRICT = {"positive_data_acceptance"}
ROUTES = sorted(OPERATIONS)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_it_finds_nothing(app: Flask, api_keys: dict[str, str], route: tuple[str, str]) -> None:
    method, rule = route
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    operation = schema[openapi.path_of(rule)][method]
    load_all_checks()
    names = [name for name in CHECKS.get_all_names() if name not in _TOO_STRICT]
    assert "negative_data_rejection" in names
    checks: list[Callable[..., Any]] = CHECKS.get_by_names(names)

    @given(case=operation.as_strategy())
    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attack(case: Case) -> None:
        if case.query and str(case.query.get("wait", "")).isdigit():
            case.query["wait"] = 0  # The answer is the same, half a minute earlier.
        case.call_and_validate(
            headers={"Authorization": f"Bearer {api_keys['admin']}"}, checks=checks
        )

    attack()
