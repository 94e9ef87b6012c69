"""A tenant's admin sets how its recipients meet it; what would harm them is refused."""

from base64 import b64encode
from typing import Any

import pytest
from sqlalchemy import func, select

from optout_service.runtime import Runtime
from optout_service.store.tables import brand
from tests import pictures
from tests.api.asking import Asker

PATH = "/v1/brand"
LOGO = b64encode(pictures.png()).decode()
WHOLE = {
    "name": "Acme Shop",
    "contact": "Write to us",
    "contact_url": "mailto:help@acme.example",
    "colour": "#a3182a",
    "dark_colour": "#ff99a8",
    "language": "de",
    "logo": LOGO,
}
BUILT_IN = {"contact_url": "", "colour": "", "dark_colour": "", "language": "", "logo": ""}


def put(ask: Asker, body: Any, by: str = "admin", **headers: str) -> Any:
    return ask.send("PUT", PATH, body, by=by, **headers)


def rows(rt: Runtime) -> int:
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(brand)).scalar_one()


def test_nothing_is_set_to_begin_with(ask: Asker) -> None:
    name = {"name": "Acme Shop", "contact": "help@acme.example"}
    assert ask.get(PATH, by="admin").json == name | BUILT_IN


def test_a_brand_is_set_and_shown_as_it_was_given(ask: Asker) -> None:
    answer = put(ask, WHOLE)
    assert (answer.status_code, answer.json) == (200, WHOLE)
    assert ask.get(PATH, by="admin").json == WHOLE
    assert put(ask, answer.json).json == WHOLE, "what was read can be sent back"


def test_what_is_left_out_goes_back_to_what_is_built_in(ask: Asker) -> None:
    put(ask, WHOLE)
    plain = {"name": "Acme", "contact": ""} | BUILT_IN
    assert put(ask, {"name": "Acme"}).json == plain
    assert ask.get(PATH, by="admin").json == plain


def test_name_and_contact_are_those_of_the_tenant(ask: Asker) -> None:
    put(ask, WHOLE)
    told = ask.get("/v1/tenants/acme", by="admin").json
    assert (told["name"], told["contact"]) == ("Acme Shop", "Write to us")
    ask.send("PATCH", "/v1/tenants/acme", {"name": "Acme & Co"})
    assert ask.get(PATH, by="admin").json == WHOLE | {"name": "Acme & Co"}


def test_a_brand_is_its_tenants_alone(ask: Asker) -> None:
    put(ask, WHOLE)
    assert ask.get(PATH, by="bolt-admin").json["colour"] == ""
    put(ask, {"name": "Bolt", "colour": "#0b6b3a"}, by="platform", Optout_Tenant="bolt")
    assert ask.get(PATH, by="bolt-admin").json["colour"] == "#0b6b3a"
    assert ask.get(PATH, by="admin").json == WHOLE
    assert put(ask, WHOLE, by="platform").json["field"] == "Optout-Tenant"


@pytest.mark.parametrize("dialect", ["sqlite"])  # refused before the store
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Acme\r\nBcc: x@y.example"}, "name"),
        ({"name": "Acme\u202eexe.gpj"}, "name"),
        ({"name": "Acme\u2028Shop"}, "name"),
        ({"name": "Acme\x00"}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"contact": "a\nb"}, "contact"),
        ({"contact": "\u2066a"}, "contact"),
        ({"contact": "x" * 201}, "contact"),
        ({"contact": ""}, "contact"),
        ({"contact_url": "javascript:alert(1)"}, "contact_url"),
        ({"contact_url": "https://acme.example/\r\nSet-Cookie: a=b"}, "contact_url"),
        ({"colour": "red"}, "colour"),
        ({"colour": "#ffd400"}, "colour"),
        ({"colour": "#a3182a;}</style><script>"}, "colour"),
        ({"colour": ""}, "colour"),
        ({"dark_colour": "#000000"}, "dark_colour"),
        ({"language": "tlh"}, "language"),
        ({"logo": "no base64!"}, "logo"),
        ({"logo": b64encode(b"<svg onload='alert(1)'/>").decode()}, "logo"),
        ({"logo": b64encode(pictures.padded_png(6145)).decode()}, "logo"),
        ({"logo": None}, "logo"),
        ({"colour": 7}, "colour"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_its_field_and_nothing_is_changed(
    rt: Runtime, ask: Asker, change: dict[str, Any], field: str
) -> None:
    before = ask.get(PATH, by="admin").json
    answer = put(ask, WHOLE | change)
    assert (answer.status_code, answer.json["kind"]) == (422, "invalid-request")
    assert answer.json["field"] == field
    for value in change.values():
        assert not isinstance(value, str) or len(value) < 8 or value not in answer.json["detail"]
    assert ask.get(PATH, by="admin").json == before
    assert rows(rt) == 0


def test_a_body_without_a_name_changes_nothing(rt: Runtime, ask: Asker) -> None:
    assert put(ask, {"colour": "#a3182a"}).json["field"] == "name"
    assert rows(rt) == 0
