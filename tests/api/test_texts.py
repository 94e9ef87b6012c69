"""A tenant's own words: set, checked, listed, taken back."""

from typing import Any

import pytest

from tests.api.asking import Asker

STOP = {"said": "stop", "text": "{brand}: it is over. START comes back.", "language": "en"}


def put(ask: Asker, by: str = "admin", **changes: Any) -> Any:
    return ask.send("PUT", "/v1/texts", STOP | changes, by=by)


def own(ask: Asker, by: str = "admin") -> Any:
    return ask.get("/v1/texts", by=by).json["texts"]


def test_a_text_that_is_set_is_measured_as_it_is_sent(ask: Asker) -> None:
    answer = put(ask)
    assert answer.status_code == 200
    # "Acme Shop: it is over. START comes back."
    assert answer.json == STOP | {"encoding": "gsm-7", "units": 40, "segments": 1}
    assert own(ask) == [answer.json]


def test_a_text_takes_the_place_of_the_one_before(ask: Asker) -> None:
    put(ask)
    put(ask, text="{brand} \u2714 START", language="EN")
    assert [(text["text"], text["encoding"]) for text in own(ask)] == [
        ("{brand} \u2714 START", "ucs-2")
    ]


def test_a_text_that_lacks_a_part_is_refused_and_nothing_is_set(ask: Asker) -> None:
    answer = put(ask, text="Bye!")
    assert (answer.status_code, answer.json["field"]) == (422, "text")
    assert "{brand}" in answer.json["detail"]
    assert "START" in answer.json["detail"]
    assert own(ask) == []


@pytest.mark.parametrize(
    "change", [{"said": "bye"}, {"language": "english!"}, {"text": " "}, {"more": 1}]
)
def test_what_does_not_fit_is_refused(ask: Asker, change: dict[str, Any]) -> None:
    assert put(ask, **change).status_code == 422


def test_another_tenants_texts_are_its_own(ask: Asker) -> None:
    put(ask)
    assert own(ask, by="bolt-admin") == []


def test_a_text_that_is_removed_is_gone_once(ask: Asker) -> None:
    put(ask, language="fr")
    query = {"said": "stop", "language": "FR"}
    assert ask.send("DELETE", "/v1/texts", query=query).status_code == 204
    assert own(ask) == []
    assert ask.send("DELETE", "/v1/texts", query=query).status_code == 404


def test_the_built_in_texts_are_shown_with_the_brand_filled_in_for_length(ask: Asker) -> None:
    shown = ask.get("/v1/texts", by="admin").json["built_in"]
    assert len({text["language"] for text in shown}) == 13
    assert {text["said"] for text in shown} == {"stop", "start", "help", "refused"}
    assert all(text["segments"] <= 3 for text in shown)
