"""Texts that a carrier has put into base64."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.providers.wrapped import text_in


@pytest.mark.parametrize("text", ["STOP", "arrêt", "退订", "please stop texting me", "Stop\nJo"])
def test_the_text_inside_comes_out(text: str) -> None:
    assert text_in(base64.b64encode(text.encode()).decode()) == text
    assert text_in(f" {base64.b64encode(text.encode()).decode()}\r\n") == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "STOP", "stop", "hello", "unsubscribe", "stopall!", "Nachricht", "U1RPUA"),
        *("U1RPUA== please", "U1RP UA==", "U1RPUA===", "//79/A==", "AAAA", "ICAg", "A" * 5000),
    ],
)
def test_what_is_a_word_or_nothing_is_left_as_it_is(text: str) -> None:
    assert text_in(text) is None


@given(st.text(max_size=300))
def test_it_never_fails(text: str) -> None:
    inner = text_in(text)
    assert inner is None or inner.strip()
