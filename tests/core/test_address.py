"""Canonical forms. They are part of the database's key: nothing here may ever change."""

from hashlib import sha256

import phonenumbers
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from optout_service.core import address as module
from optout_service.core.address import (
    CANONICAL_VERSION,
    Address,
    canonical,
    canonical_email,
    canonical_phone,
    canonical_sha256,
    mask,
)
from optout_service.core.errors import InvalidAddress, OptOutError
from optout_service.core.scope import Kind

GOLDEN_EMAILS = {
    "jo@example.com": "jo@example.com",
    "  Jo@Example.COM\r\n": "jo@example.com",
    "\ufeffjo@example.com\u200b": "jo@example.com",
    "Jo.Anne+news@Gmail.com": "jo.anne+news@gmail.com",
    "jo@example.com.": "jo@example.com",
    "jo@localhost": "jo@localhost",
    "a@corp.local": "a@corp.local",
    "a@my_host.example": "a@my_host.example",
    "jo@[192.0.2.1]": "jo@[192.0.2.1]",
    "jo@[IPv6:2001:DB8::1]": "jo@[ipv6:2001:db8::1]",
    '"jo anne"@example.com': '"jo anne"@example.com',
    '"a@b"@example.com': '"a@b"@example.com',
    "!#$%&'*+/=?^_`{|}~-@example.com": "!#$%&'*+/=?^_`{|}~-@example.com",
    "..jo..@example.com": "..jo..@example.com",
    "jo@bücher.example": "jo@xn--bcher-kva.example",
    "jo@BÜCHER.example": "jo@xn--bcher-kva.example",
    "jo@bu\u0308cher.example": "jo@xn--bcher-kva.example",
    "jo@XN--BCHER-KVA.example": "jo@xn--bcher-kva.example",
    "jo@例え.テスト": "jo@xn--r8jz45g.xn--zckzah",
    "jo@例え。テスト": "jo@xn--r8jz45g.xn--zckzah",
    "jo@straße.example": "jo@xn--strae-oqa.example",
    "JÖRG@example.com": "jörg@example.com",
    "Jo\u0308rg@example.com": "jörg@example.com",
    "用户@example.com": "用户@example.com",
    "jo@i❤.ws": "jo@xn--i-7iq.ws",
    "jo@xn--i-7iq.ws": "jo@xn--i-7iq.ws",
    f"{'a' * 70}@example.com": f"{'a' * 70}@example.com",
}
GOLDEN_PHONES = {
    "+14155552671": "+14155552671",
    " +1 (415) 555-2671 ": "+14155552671",
    "+1-415-555-2671 ext. 12": "+14155552671",
    "＋１４１５５５５２６７１": "+14155552671",
    "+44 (0)7911 123456": "+447911123456",
    "+4407911123456": "+447911123456",
    "+49 30 901820": "+4930901820",
    "+39 06 698 12345": "+390669812345",
    "+33612345678": "+33612345678",
    "+5491123456789": "+5491123456789",
    "+919876543210": "+919876543210",
    "+8613800138000": "+8613800138000",
}
GOLDEN_HASHES = {
    (Kind.EMAIL, "Jo@Example.com"): (
        "f4e19df2e6c609fbd59a42b9063d0fadf44260218531ea21ad8c575f205c0453"
    ),
    (Kind.PHONE, "+1 415 555 2671"): (
        "cb6880e416769253645cb9c6b8989154bf66a56a77fc14c81fb1019663cbb928"
    ),
}
NO_EMAIL = {
    "": "empty",
    "jo": "no at",
    "@example.com": "no name",
    "jo@": "no domain",
    "Jo <jo@example.com>": "a name beside it",
    "<jo@example.com>": "brackets",
    "mailto:jo@example.com": "a URI",
    "jo anne@example.com": "a bare space",
    "jo@exa mple.com": "a space in the domain",
    "jo@example.com\nbcc: x@example.com": "a line break",
    "jo\x00@example.com": "a control character",
    "a@example.com, b@example.com": "a list",
    f"{'a' * 320}@example.com": "too long",
}
NO_PHONE = {
    "": "empty",
    "4155552671": "national",
    "0044 7911 123456": "another country's prefix",
    "54321": "a short code",
    "ACME": "a name",
    "whatsapp:+14155552671": "a channel's prefix",
    "tel:+14155552671": "a URI",
    "+1415": "too short",
    "+141555526711111": "too long",
    "+999123456789": "no country",
    "+": "only a plus",
}

codes = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def test_the_canonical_form_has_a_version() -> None:
    assert CANONICAL_VERSION == 1


@pytest.mark.parametrize(("text", "form"), GOLDEN_EMAILS.items())
def test_an_email_address_has_this_one_form(text: str, form: str) -> None:
    assert canonical_email(text) == form
    assert canonical_email(form) == form


@pytest.mark.parametrize(("text", "form"), GOLDEN_PHONES.items())
def test_a_phone_number_has_this_one_form(text: str, form: str) -> None:
    assert canonical_phone(text) == form
    assert canonical_phone(form) == form


@pytest.mark.parametrize(("given_as", "digits"), GOLDEN_HASHES.items())
def test_its_hash_is_what_partners_exchange(given_as: tuple[Kind, str], digits: str) -> None:
    assert Address.parse(*given_as).sha256.hex() == digits


@pytest.mark.parametrize("text", NO_EMAIL, ids=NO_EMAIL.values())
def test_what_no_mail_can_be_sent_to_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse(Kind.EMAIL, text)


@pytest.mark.parametrize("text", NO_PHONE, ids=NO_PHONE.values())
def test_what_no_phone_answers_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse(Kind.PHONE, text)


def test_a_hashed_address_is_the_hash_of_the_canonical_form() -> None:
    clear = Address.parse(Kind.EMAIL, "Jo@Example.com")
    hashed = Address.parse(Kind.EMAIL, f"SHA256:{sha256(b'jo@example.com').hexdigest().upper()}")
    assert hashed == Address(Kind.EMAIL, clear.sha256, None)
    assert canonical_sha256(Kind.EMAIL, "Jo@Example.com") == clear.sha256
    assert canonical_sha256(Kind.EMAIL, f"sha256:{clear.sha256.hex()}") == clear.sha256


@pytest.mark.parametrize("text", ["sha256:", "sha256:12", f"sha256:{'g' * 64}"])
def test_half_a_hash_is_no_address(text: str) -> None:
    for kind in Kind:
        with pytest.raises(InvalidAddress):
            Address.parse(kind, text)


def test_for_all_channels_the_address_itself_shows_its_kind() -> None:
    assert Address.parse_for("*", "jo@example.com").kind is Kind.EMAIL
    assert Address.parse_for("*", "+14155552671").kind is Kind.PHONE
    assert Address.parse_for("whatsapp", "+14155552671").kind is Kind.PHONE
    with pytest.raises(InvalidAddress, match="channel"):
        Address.parse_for("*", f"sha256:{'0' * 64}")


@given(st.text() | st.emails() | st.builds("{}@{}".format, st.text(), st.text()))
@example("İ@example.com")
@example("a@xn--.example")
@example("a@xn--a.example")
@example("a@ß.example")
@example("a@\u3002")
def test_a_canonical_email_address_is_its_own_canonical_form(text: str) -> None:
    try:
        form = canonical_email(text)
    except InvalidAddress:
        return
    assert canonical_email(form) == form


@given(st.builds("+{}{}".format, codes, st.text("0123456789 -()/.x", min_size=7, max_size=14)))
def test_a_canonical_phone_number_is_its_own_canonical_form(text: str) -> None:
    try:
        form = canonical_phone(text)
    except InvalidAddress:
        return
    assert canonical_phone(form) == form


@given(st.sampled_from(Kind), st.text())
def test_any_text_is_an_address_or_refused(kind: Kind, text: str) -> None:
    try:
        assert Address.parse(kind, text).kind is kind
    except InvalidAddress as refusal:
        detail = refusal.detail
    else:
        detail = ""
    assert len(text) < 4 or text not in detail


@given(
    st.from_regex(
        r"[A-Za-z0-9.+_-]{1,9}@[A-Za-z0-9-]{1,9}(\.[A-Za-z0-9-]{1,9}){0,3}",
        fullmatch=True,
    )
)
def test_the_short_way_for_plain_addresses_agrees_with_the_long_one(text: str) -> None:
    assert canonical_email(text) == module._canonical_odd_email(text)


@given(
    st.builds("+{}{}".format, codes, st.text("0123456789", min_size=2, max_size=13))
    | st.builds("+1{}".format, st.integers(10**9, 10**10 - 1))
)
def test_the_short_way_for_e164_agrees_with_the_library(text: str) -> None:
    try:
        long = module._canonical_odd_phone(text)
    except InvalidAddress:
        long = None
    try:
        assert canonical_phone(text) == long
    except InvalidAddress:
        assert long is None


@pytest.mark.parametrize(
    "text",
    [
        "+14155552671",
        "+447911123456",
        "+4915123456789",
        "+33612345678",
        "+919876543210",
    ],
)
def test_ordinary_numbers_take_the_short_way(text: str) -> None:
    assert module._is_plainly_possible(text)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.EMAIL, "ana@example.com", "a•••@e•••.com"),
        (Kind.EMAIL, "jo@example.com", "•••@e•••.com"),
        (Kind.EMAIL, "ana@mail.example.co.uk", "a•••@m•••.uk"),
        (Kind.EMAIL, "ana@t.co", "a•••@•••.co"),
        (Kind.EMAIL, "ana@localhost", "a•••@•••"),
        (Kind.PHONE, "+14155552671", "+1••••••••71"),
        (Kind.PHONE, "+447911123456", "+44••••••••56"),
    ],
)
def test_a_masked_address_shows_this_much(kind: Kind, value: str, shown: str) -> None:
    assert mask(kind, value) == shown
    assert Address.parse(kind, value).masked == shown


def test_no_representation_of_an_address_gives_it_away() -> None:
    for kind, text in ((Kind.EMAIL, "ana@example.com"), (Kind.PHONE, "+14155552671")):
        address = Address.parse(kind, text)
        assert text not in f"{address!r} {address} {[address]}"
    hashed = Address.parse(Kind.EMAIL, f"sha256:{'ab' * 32}")
    assert repr(hashed) == "Address(sha256:abab…)"


@given(st.emails())
def test_a_masked_address_holds_neither_the_name_nor_the_domain(text: str) -> None:
    try:
        value = canonical(Kind.EMAIL, text)
    except OptOutError:
        assume(False)
    local, _, domain = value.rpartition("@")
    shown = mask(Kind.EMAIL, value)
    assert not shown.startswith(f"{local}@")
    assert domain not in shown
