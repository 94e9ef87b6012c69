"""Clearances: kept for years, good for minutes, and no letter of them can be changed."""

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import base64url
from optout_service.core.clearance import USE, Clearance, Clearances
from optout_service.core.errors import BadClearance
from optout_service.core.scope import Scope
from optout_service.core.signing import Signatures
from tests.core.test_token import NEW, OLD, ONLY_NEW

OURS = Clearances(Signatures(OLD))
AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
MAIL = Clearance(
    1,
    bytes(range(16)),
    Scope("email", "*", "marketing"),
    1234,
    AT,
    AT + timedelta(minutes=15),
)
TEXT = Clearance(
    70000,
    bytes(range(16)),
    Scope("sms", "newsletter", "transactional"),
    2**40,
    AT,
    AT + timedelta(days=7),
)

# Senders keep these with what they sent. They were written once and are never made again.
GOLDEN = {
    "AQAAAAGXxBAAAQIDBAUGBwgJCgsMDQ4PpWVtYWlsoSqpbWFya2V0aW5nzQTS1_8dbygAaX3uwNf_HW8oAGl98kQ~"
    "H_kFTWd5WQrDHhqYvI6RwkTw4c0eRs8nvsB4cMlpjzHwEPICZwUdvyFZa-RnTJy_UBsi5_uNnaXEAx6GHOriDA": MAIL,
    "AQABEXCXxBAAAQIDBAUGBwgJCgsMDQ4Po3Ntc6puZXdzbGV0dGVyrXRyYW5zYWN0aW9uYWzPAAABAAAAAADX_x1v"
    "KABpfe7A1_8dbygAaYcpQA~XdqeqXAmLh6AFuDFoMbV6ApZ7uJrY3KPGIc2ySt6dJTov9s30wDIsZkq9Q_ShjAEf"
    "Tszkuo95aS2PueMuk0tCQ": TEXT,
}
SIGNED_BY_THE_NEW_KEY = (
    "AQAAAAGXxBAAAQIDBAUGBwgJCgsMDQ4PpWVtYWlsoSqpbWFya2V0aW5nzQTS1_8dbygAaX3uwNf_HW8oAGl98kQ~"
    "ev3puTI5xIR3slhDv84Vo8BQewkHQ22apoZWBuxLZvJ1Sj0VWikbDiy2-oe1ug5MrPMg8bjuwtEM3hTJlYsIDw"
)
LETTERS = string.ascii_letters + string.digits + "-_~"

instants = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
clearances = st.builds(
    Clearance,
    st.integers(0, 2**32 - 1),
    st.binary(min_size=16, max_size=16),
    st.builds(
        Scope,
        st.sampled_from(["email", "sms", "voice"]),
        st.sampled_from(["*", "newsletter", "a-b_c"]),
        st.sampled_from(["marketing", "transactional"]),
    ),
    st.integers(0, 2**63 - 1),
    instants,
    instants,
)


@pytest.mark.parametrize(("text", "said"), GOLDEN.items(), ids=["mail", "text"])
def test_a_clearances_bytes_never_change(text: str, said: Clearance) -> None:
    assert OURS.mint(said) == text
    assert OURS.read(said.tenant, text) == said


@given(clearances)
def test_what_is_minted_is_read_again(said: Clearance) -> None:
    assert OURS.read(said.tenant, OURS.mint(said)) == said


@given(st.data())
def test_no_letter_of_one_can_be_changed(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(list(GOLDEN)))
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda one: one != text[at]))
    with pytest.raises(BadClearance):
        OURS.read(GOLDEN[text].tenant, text[:at] + letter + text[at + 1 :])


@given(st.text(max_size=2000))
def test_any_other_text_is_none(text: str) -> None:
    with pytest.raises(BadClearance):
        OURS.read(1, text)


def test_parts_of_one_are_none() -> None:
    text = next(iter(GOLDEN))
    for part in (*(text[:end] for end in range(len(text))), f"{text}=", f"{text}~", f" {text}"):
        with pytest.raises(BadClearance):
            OURS.read(1, part)


def test_another_tenants_is_none() -> None:
    text = OURS.mint(MAIL)
    other = OURS.mint(replace(MAIL, tenant=2))
    spliced = f"{other.partition('~')[0]}~{text.partition('~')[2]}"
    for wrong in (other, spliced):
        with pytest.raises(BadClearance):
            OURS.read(1, wrong)


def test_an_old_key_still_verifies_and_a_lost_one_does_not() -> None:
    text = OURS.mint(MAIL)
    assert Clearances(Signatures(NEW)).read(1, text) == MAIL
    assert Clearances(Signatures(NEW)).mint(MAIL) == SIGNED_BY_THE_NEW_KEY
    with pytest.raises(BadClearance):
        Clearances(Signatures(ONLY_NEW)).read(1, text)


def test_a_well_signed_one_of_another_version_is_refused_and_not_guessed_at() -> None:
    payload = b"\x02" + base64url.decoded(OURS.mint(MAIL).partition("~")[0])[1:]
    signature = Signatures(OLD).sign(1, USE, payload)
    with pytest.raises(BadClearance):
        OURS.read(1, b"~".join(map(base64url.encoded, (payload, signature))).decode())


def test_one_expires_at_its_end() -> None:
    assert not MAIL.expired_at(MAIL.valid_until - timedelta(microseconds=1))
    assert MAIL.expired_at(MAIL.valid_until)
