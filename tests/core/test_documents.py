"""JSON of any length: read as it comes, whatever the pieces."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optout_service.core.documents import records
from optout_service.core.errors import Malformed, TooLarge

SIZES = (1, 2, 5, 1000)


def cut(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


PAGE = b'{"next": "x", "items": [{"a": 1}, {"b": [{"c": 2}]}], "n": 2}'
NO_TAGS = b'{"address": "a@example.com", "tags": []}'
DOCUMENTS: dict[str, tuple[bytes, list[Any]]] = {
    "nothing": (b" \n", []),
    "an empty array": (b"[]", []),
    "an array": (b' [ {"a": 1}, "b@example.com" ]\n', [{"a": 1}, "b@example.com"]),
    "a page": (PAGE, [{"a": 1}, {"b": [{"c": 2}]}]),
    "pages, the last of them empty": (b'{"items":[{"a":1}]}\n{"items":[],"n":"x"}', [{"a": 1}]),
    "one object after another": (b'{"a": 1}{"b": ["*"]}', [{"a": 1}, {"b": ["*"]}]),
    "a record with an empty array": (NO_TAGS, [{"address": "a@example.com", "tags": []}]),
    "a byte order mark": (b'\xef\xbb\xbf[{"a": "\xc3\xa4"}]', [{"a": "ä"}]),
}


@pytest.mark.parametrize("case", DOCUMENTS)
@pytest.mark.parametrize("size", SIZES)
def test_the_records_of_a_document(case: str, size: int) -> None:
    body, expected = DOCUMENTS[case]
    assert list(records(cut(body, size))) == expected


BROKEN = {
    "no end": b'[{"a": 1}',
    "a comma too many": b'[{"a": 1},]',
    "no comma": b'[{"a": 1} {"b": 2}]',
    "half an object": b'[{"a": 1}, {"b"',
    "no JSON": b"address\na@example.com",
    "a bare text": b'"a@example.com"',
    "Latin-1": b'[{"a": "\xe4"}]',
    "a number for a name": b"{1: 2}",
}


@pytest.mark.parametrize("case", BROKEN)
@pytest.mark.parametrize("size", SIZES)
def test_a_broken_document_is_told_and_its_text_not_repeated(case: str, size: int) -> None:
    with pytest.raises(Malformed) as refusal:
        list(records(cut(BROKEN[case], size)))
    assert "example" not in refusal.value.detail


def test_a_record_without_end_is_not_waited_for() -> None:
    with pytest.raises(TooLarge, match="Record 2"):
        list(records(cut(b'[{"a": 1}, {"b": "' + b"x" * 200_000, 4096)))


texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(st.none() | st.booleans() | st.integers() | texts, st.lists, max_leaves=4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(texts, values)), st.integers(1, 50), st.booleans())
def test_an_array_is_what_json_says_it_is(found: list[Any], size: int, indented: bool) -> None:
    body = json.dumps(found, indent=1 if indented else None).encode()
    assert list(records(cut(body, size))) == found


def test_a_number_of_ten_thousand_digits_is_no_record() -> None:
    with pytest.raises(Malformed):
        list(records([b'[{"size": ' + b"9" * 10_000 + b"}]"]))
