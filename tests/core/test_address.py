"""Canonical forms. They are part of the database's key: what is pinned here may never change.

The hashes were made by sha256sum, not by this code.
"""

import idna
import phonenumbers
import pytest
from hypothesis import assume, example, given, settings
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
from optout_service.core.errors import InvalidAddress, UnknownChannel
from optout_service.core.scope import Kind

JO = "f4e19df2e6c609fbd59a42b9063d0fadf44260218531ea21ad8c575f205c0453"
BUECHER = "jo@xn--bcher-kva.example"
BUECHER_HASH = "ee2076eafb59b1066385c36a13828935dda6d7d1d67c99c2db83ed682dd88735"
US = "+14155552671"
US_HASH = "cb6880e416769253645cb9c6b8989154bf66a56a77fc14c81fb1019663cbb928"
GB = "+447911123456"
GB_HASH = "20b18ac9de7b3aad174961827d8e451c410af9aedfd1d699927f4b29b81aa1fa"
DE = "+4930901820"
DE_HASH = "4db5829924ee5c466cbd9ac69b2a6af527f758614fa3b3aec8c89b16a709a678"
BARE = "bare address"

# rule: (text, canonical form, its SHA-256)
# fmt: off
EMAILS = {
    "an ordinary address stays": ("jo@example.com", "jo@example.com", JO),
    "capitals become small": ("Jo@Example.COM", "jo@example.com", JO),
    "white space at the ends goes": ("\u3000 jo@example.com\u00a0\r\n", "jo@example.com", JO),
    "a BOM and a zero-width space go": ("\ufeffjo@example.com\u200b", "jo@example.com", JO),
    "marks of direction go": ("\u202ajo@example.com\u202c", "jo@example.com", JO),
    "the dot of the DNS root goes": ("jo@example.com.", "jo@example.com", JO),
    "a full-width domain is the same": ("jo@ＥＸＡＭＰＬＥ．com", "jo@example.com", JO),
    "dots and plus tags stay": (
        "Jo.Anne+news@Gmail.com", "jo.anne+news@gmail.com",
        "d89fcbb3bfec598cb4a8971570e55255547c103175ff615c367abab60d26ae9f"),
    "a host without a dot is possible": (
        "jo@localhost", "jo@localhost",
        "09f8031ba52606b740fbcbedd24512f03a8f63ac540dbcf2c50dd63f63e35fa1"),
    "a private domain and one letter are possible": (
        "a@corp.local", "a@corp.local",
        "9dfacccfe8b020c67c4504490ac9e1ddbfe9baf5a9a2df74ebe37cf0b9df8049"),
    "an underscore in the domain is possible": (
        "a@my_host.example", "a@my_host.example",
        "41ae7979fc52c662f888271c50e0c74e77a28bcf26702ff25fe4539fc9562ba5"),
    "an IPv4 literal is possible": (
        "jo@[192.0.2.1]", "jo@[192.0.2.1]",
        "39b062932597db3bf59f7bf323467f7ae5cfdb40f7e9c1d937a547059bf17471"),
    "an IPv6 literal is possible": (
        "jo@[IPv6:2001:DB8::1]", "jo@[ipv6:2001:db8::1]",
        "e098adf12cc2ae03669b88da681e2422d3c756306ec8b8800f5ec517a5c29b30"),
    "a quoted name may hold a space": (
        '"Jo Anne"@example.com', '"jo anne"@example.com',
        "c1326320c82862626519f6f14b3eabe69192201f79d5c42164023c2981953435"),
    "a quoted name may hold an @": (
        '"a@b"@example.com', '"a@b"@example.com',
        "4c23f5302e53c11b577303720208daf25bf263cd376391fc55d8fc2e2d62e1e4"),
    "every sign of an atom is possible": (
        "!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com",
        "16eba74dfa70b1c8fc235786706e38b25248fe90fc2c22d0318678cd6296885d"),
    "dots anywhere in the name are possible": (
        "..jo..@example.com", "..jo..@example.com",
        "c1d166af6215e1c527fd38089afe972da2b69af1d1cabb2c4a2a7c1b49549250"),
    "a name in another script is possible": (
        "用户@example.com", "用户@example.com",
        "075270e291e3037a4868d85289dc21141f71907abb4ba0d1a627305d2ed5fcc4"),
    "a name is composed and small": (
        "JO\u0308RG@example.com", "j\u00f6rg@example.com",
        "96949592d14b07f436cc55b814d947b0f00c805ee8c4c80fb8e1a1eff9a0fd12"),
    "a domain is written in ASCII": ("jo@bücher.example", BUECHER, BUECHER_HASH),
    "a domain in capitals is the same": ("jo@BÜCHER.Example", BUECHER, BUECHER_HASH),
    "a decomposed domain is the same": ("jo@bu\u0308cher.example", BUECHER, BUECHER_HASH),
    "its xn-- spelling is the same": ("jo@XN--BCHER-KVA.example", BUECHER, BUECHER_HASH),
    "other full stops are dots": (
        "jo@例え。テスト。", "jo@xn--r8jz45g.xn--zckzah",
        "45f25778823ced4117010e053d8bc76a04cef4fa323d2de26e83c8ee756336ea"),
    "a sharp s is its own letter": (
        "jo@straße.example", "jo@xn--strae-oqa.example",
        "1b921ffdec076302cf32c815e97302902998f9fc18cb7abe4d9548735eba3323"),
    "a capital sigma at the end is no final sigma": (
        "jo@ΑΣ.gr", "jo@xn--mxa0b.gr",
        "aa7181b3af49fb71078c40f8bd04291662c88858b47eafb6fc18a41c6c0a8a77"),
    "an emoji has a form, though IDNA refuses it": (
        "jo@I\u2764\ufe0f.ws", "jo@xn--i-7iq.ws",
        "186a5e9c2e8e53dbf691cab67532211deafa507adc7778c69583cfad452dffad"),
    "an underscore beside it has a form": (
        "jo@B_ü\u00adcher.example", "jo@xn--b_cher-4ya.example",
        "7b4f5aea82c45896e74ae91b149f7767dbf1a29770e95d2f43890e51769e8ffd"),
    "a character that no table knows has a form": (
        "jo@\ue000\u1d2c.example", "jo@xn--a-ro7g.example",
        "4506246844231e41c083e52bb8a235aba753eb733a6c46109667d49907eab0f7"),
}
PHONES = {
    "E.164 stays": (US, US, US_HASH),
    "spaces, dashes and brackets go": ("\t+1 (415) 555\u20112671 ", US, US_HASH),
    "a bracket may hold the country code": ("(+1) 415.555.2671", US, US_HASH),
    "an extension goes": ("+1-415-555-2671 ext. 12", US, US_HASH),
    "an extension after x goes": ("+14155552671x12", US, US_HASH),
    "an extension as in a URI goes": ("+14155552671;ext=12", US, US_HASH),
    "a dialled extension goes": ("+14155552671,,123#", US, US_HASH),
    "full-width digits are digits": ("＋１（４１５）５５５－２６７１", US, US_HASH),
    "marks of direction around it go": ("\u202a+1 415 555 2671\u202c", US, US_HASH),
    "Arabic digits are digits": ("+٤٤٧٩١١١٢٣٤٥٦", GB, GB_HASH),
    "the (0) goes": ("+44 (0)7911 123456", GB, GB_HASH),
    "a national prefix goes": ("+4407911123456", GB, GB_HASH),
    "two national prefixes go": ("+49 0 (0)30 901820", DE, DE_HASH),
    "German spelling": ("+49 30/901820", DE, DE_HASH),
    "an Italian zero stays": (
        "+39 06 698 12345", "+390669812345",
        "6a63cf8febcd7ccbf5b6dbfc27dc58c9247dfc86e4da4a66d574baaee5a3160b"),
    "France": (
        "+33 6 12 34 56 78", "+33612345678",
        "42d573cfc315801d4cd8eddd5416b416a0bf298b9b9e12d6b07442c91db42bd8"),
    "Argentina's 15 becomes a 9": (
        "+54 011 15 2345-6789", "+5491123456789",
        "790e47a4a8aeeed031d32be19de28e8880e89e80de18371c042874fc0367303c"),
    "possible is enough, valid it need not be": (
        "+1 555 555 5555", "+15555555555",
        "910a625c4ba147b544e6bd2f267e130ae14c591b6ba9c25cb8573322dedbebd0"),
}
# fmt: on
NO_EMAIL = {
    "nothing": ("", "an @"),
    "only white space": (" \u200b\n", "an @"),
    "no @": ("wrong.example", "an @"),
    "no name": ("@wrong.example", "a name"),
    "no domain": ("wrong@", "a domain"),
    "only a dot for a domain": ("wrong@.", "single dots"),
    "two dots in a row": ("wrong@wrong..example", "single dots"),
    "two dots at the end": ("wrong@wrong.example..", "single dots"),
    "a dot out of one character": ("wrong@a\u2488.example", "single dots"),
    "a name beside it": ("Wrong <wrong@wrong.example>", BARE),
    "brackets": ("<wrong@wrong.example>", BARE),
    "a name after it": ("wrong@wrong.example (Wrong)", "no more"),
    "mailto:": ("mailto:wrong@wrong.example", BARE),
    "a space in the name": ("wrong wrong@wrong.example", BARE),
    "a space in the domain": ("wrong@wrong wrong.example", "no more"),
    "a query": ("wrong@wrong.example?subject=wrong", "no more"),
    "a port": ("wrong@wrong.example:25", "no more"),
    "two @": ("wrong@wrong@wrong.example", "one @"),
    "a second @ out of a full-width one": ("wrong@wrong＠wrong.example", "no more"),
    "a list": ("wrong@wrong.example,wrong@wrong.example", "one address"),
    "a quote without its end": ('"wrong@wrong.example', "quote"),
    "a quoted @ alone": ('"wrong@wrong"', "quote"),
    "a line break": ("wrong@wrong.example\nbcc:wrong@wrong.example", "line breaks"),
    "a control character": ("wrong\x00@wrong.example", "control"),
    "half a character": ("wrong\ud800@wrong.example", "control"),
    "half a literal": ("wrong@[192.0.2.1", "IP address"),
    "something after a literal": ("wrong@[192.0.2.1]wrong", "IP address"),
    "too many octets": (f"{'wrong' * 62}@example.com", "320"),
    "too many octets in UTF-8": (f"{'ü' * 155}@example.com", "320"),
    "half a hash": ("sha256:wrong", "64 hex digits"),
}
NO_PHONE = {
    "nothing": ("", "country code"),
    "a national number": ("030 90182099", "country code"),
    "another country's way out": ("0044 7911 123499", "country code"),
    "a short code": ("54321", "Short codes"),
    "a name": ("WRONG", "names"),
    "a number in letters": ("+1 800 FLOWERS", "digits"),
    "tel:": ("tel:+14155552699", "tel:"),
    "whatsapp:": ("whatsapp:+14155552699", "before it"),
    "another context": ("+14155552699;phone-context=+44", "one phone number"),
    "two numbers": ("+14155552699, +14155552698", "one phone number"),
    "a second number without its code": ("+14155552699, 4155552698", "one phone number"),
    "two lines": ("+4930901820\n99", "one phone number"),
    "a raised footnote": ("+4930901820\u00b9", "digits"),
    "half a character": ("+4930901820\ud800", "digits"),
    "only a plus": ("+", "country code"),
    "too short": ("+1415", "length"),
    "too long": ("+141555526999999", "length"),
    "no such country": ("+999123456789", "country code"),
    "far too much between": (f"+1{' ' * 100}4155552699", "one phone number"),
    "half a hash": ("sha256:99", "64 hex digits"),
}

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
codes = st.sampled_from(CODES)


@st.composite
def e164(draw: st.DrawFn) -> str:
    """A number of a length that its country has, or one digit more or less; prefixes are likely."""
    code = draw(codes)
    plan = module._plan(str(code))
    assert plan is not None
    length = max(
        1, draw(st.sampled_from(sorted(plan.lengths))) + draw(st.sampled_from([0] * 8 + [-1, 1]))
    )
    start = draw(st.sampled_from(["", "0", "00", "1", "8", "9", "15", "011"]))
    digits = start + draw(st.text("0123456789", min_size=length, max_size=length))
    return f"+{code}{digits[:length]}"


domains = st.text(st.sampled_from("aAzZ09-_.ßüÜΣςσİıx\u0301\u200d\u2764\ufe0f例。\u0627שㅤ\ue000Ⅷ"))
mails = st.builds("{}@{}".format, st.text(min_size=1) | domains, st.text(min_size=1) | domains)
texts = st.text() | mails | e164() | st.from_regex(r"sha256:[0-9a-fA-F]{62,65}")


def test_the_canonical_form_has_a_version() -> None:
    assert CANONICAL_VERSION == 1


@pytest.mark.parametrize(("text", "form", "digits"), EMAILS.values(), ids=EMAILS)
def test_an_email_address_has_this_one_form(text: str, form: str, digits: str) -> None:
    assert canonical_email(text) == form
    assert canonical_email(form) == form
    assert Address.parse(Kind.EMAIL, text) == Address(Kind.EMAIL, bytes.fromhex(digits), form)


@pytest.mark.parametrize(("text", "form", "digits"), PHONES.values(), ids=PHONES)
def test_a_phone_number_has_this_one_form(text: str, form: str, digits: str) -> None:
    assert canonical_phone(text) == form
    assert canonical_phone(form) == form
    assert Address.parse(Kind.PHONE, text) == Address(Kind.PHONE, bytes.fromhex(digits), form)


@pytest.mark.parametrize(
    "value", [f"{'a' * 308}@example.com", f"{'ü' * 154}@example.com", f"jo@{'a' * 70}.example"]
)
def test_length_alone_is_odd_but_possible(value: str) -> None:
    assert canonical_email(value) == value


@pytest.mark.parametrize(("text", "hint"), NO_EMAIL.values(), ids=NO_EMAIL)
def test_what_no_mail_can_be_sent_to_is_refused(text: str, hint: str) -> None:
    assert_refused(Kind.EMAIL, text, hint)


@pytest.mark.parametrize(("text", "hint"), NO_PHONE.values(), ids=NO_PHONE)
def test_what_no_phone_answers_is_refused(text: str, hint: str) -> None:
    assert_refused(Kind.PHONE, text, hint)


def assert_refused(kind: Kind, text: str, hint: str) -> None:
    """The refusal says what to do, and repeats nothing: not even in what led to it."""
    for read in (Address.parse, canonical_sha256):
        with pytest.raises(InvalidAddress) as refusal:
            read(kind, text)
        detail = refusal.value.detail
        assert hint in detail
        assert "wrong" not in detail.lower()
        assert "99" not in detail
        assert not refusal.value.extra
        assert refusal.value.__context__ is None


@pytest.mark.parametrize("prefix", ["sha256:", "SHA256:", " Sha256:"])
def test_a_hashed_address_is_the_hash_of_the_canonical_form(prefix: str) -> None:
    for text in (f"{prefix}{JO}", f"{prefix}{JO.upper()}"):
        assert Address.parse(Kind.EMAIL, text) == Address(Kind.EMAIL, bytes.fromhex(JO), None)
        assert canonical_sha256(Kind.EMAIL, text) == canonical_sha256(Kind.EMAIL, "Jo@example.com")


@pytest.mark.parametrize("text", ["sha256:", "sha256:12", f"sha256:{'g' * 64}", f"sha256:{JO}0"])
def test_half_a_hash_is_no_address(text: str) -> None:
    for kind in Kind:
        with pytest.raises(InvalidAddress, match="64 hex digits"):
            Address.parse(kind, text)


def test_a_channel_tells_the_kind_of_an_address() -> None:
    assert Address.parse_for("email", "jo@example.com").kind is Kind.EMAIL
    assert Address.parse_for("email", f"sha256:{JO}").kind is Kind.EMAIL
    for channel in ("sms", "whatsapp", "rcs", "voice"):
        assert Address.parse_for(channel, US).kind is Kind.PHONE
        with pytest.raises(InvalidAddress):
            Address.parse_for(channel, "jo@example.com")
    with pytest.raises(UnknownChannel):
        Address.parse_for("fax", US)


def test_for_all_channels_the_address_itself_shows_its_kind() -> None:
    assert Address.parse_for("*", "+jo@example.com").kind is Kind.EMAIL
    assert Address.parse_for("*", " (+1) 415 555 2671").kind is Kind.PHONE
    assert Address.parse_for("*", "＋１４１５５５５２６７１").kind is Kind.PHONE
    with pytest.raises(InvalidAddress, match="needs a channel"):
        Address.parse_for("*", f"sha256:{JO}")
    with pytest.raises(InvalidAddress, match="mail address, or a phone number"):
        Address.parse_for("*", "4155552671")


@given(mails)
@example("İ@example.com")
@example("ΑΣ@ΑΣ")
@example("a@xn--.example")
@example("a@\u3002")
@example("a@b..")
@example("a@\u0301.example")
@settings(max_examples=200, deadline=None)
def test_a_canonical_email_address_is_its_own_canonical_form(text: str) -> None:
    form = form_or_none(Kind.EMAIL, text)
    assert form is None or canonical_email(form) == form


@given(st.builds("+{}{}".format, codes, st.text("0123456789 -()/.x", min_size=7, max_size=14)))
@example("+49 0030 901820")
@settings(max_examples=200, deadline=None)
def test_a_canonical_phone_number_is_its_own_canonical_form(text: str) -> None:
    form = form_or_none(Kind.PHONE, text)
    assert form is None or canonical_phone(form) == form


def form_or_none(kind: Kind, text: str) -> str | None:
    try:
        return canonical(kind, text)
    except InvalidAddress:
        return None


@given(st.sampled_from(Kind), texts)
@settings(max_examples=200, deadline=None)
def test_any_text_is_an_address_or_refused(kind: Kind, text: str) -> None:
    try:
        address = Address.parse(kind, text)
    except InvalidAddress:
        with pytest.raises(InvalidAddress):
            canonical_sha256(kind, text)
    else:
        assert address.kind is kind
        assert address.sha256 == canonical_sha256(kind, text)
        assert text not in repr(address) or len(text) < 2


@given(
    st.from_regex(
        r"[A-Za-z0-9.+_'\u212a-]{1,9}@[A-Za-z0-9_\u212a-]{1,9}(\.[A-Za-z0-9]{0,9}){0,3}\s?"
    )
    | mails
)
@settings(max_examples=200, deadline=None)
def test_the_short_way_for_plain_addresses_agrees_with_the_exact_one(text: str) -> None:
    try:
        exact = module._canonical_odd_email(text)
    except InvalidAddress:
        exact = None
    assert form_or_none(Kind.EMAIL, text) == exact


@given(domains)
@example("ΑΣ")
@example("xn--bcher-kva.ΑΣ")
@settings(max_examples=200)
def test_every_spelling_of_a_domain_that_idna_knows_is_one_address(domain: str) -> None:
    try:
        known = idna.encode(domain, uts46=True).decode().lower().removesuffix(".")
        spelt = idna.decode(known)
    except idna.IDNAError:
        assume(False)
    assert canonical_email(f"jo@{domain}") == f"jo@{known}"
    assert canonical_email(f"jo@{spelt}") == f"jo@{known}"
    assert canonical_email(f"JO@{known.upper()}") == f"jo@{known}"


def by_the_library(text: str) -> str | None:
    """E.164 as the library has it, or None where it knows of no such number."""
    try:
        parsed = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    formatted: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return formatted if phonenumbers.is_possible_number(parsed) else None


@given(e164())
@settings(max_examples=500, deadline=None)
def test_the_short_way_for_e164_agrees_with_the_library(text: str) -> None:
    try:
        exact = module._canonical_odd_phone(text)
    except InvalidAddress:
        exact = None
    assert form_or_none(Kind.PHONE, text) == exact
    if module._E164.fullmatch(text) and module._is_plainly_possible(text):
        assert by_the_library(text) == text


@given(
    st.sampled_from([US, GB, DE, "+390669812345", "+5491123456789"]),
    st.lists(st.sampled_from([" ", "-", "\u2011", " (", ") ", ".", "/", "\u00a0", "\u200b"])),
    st.sampled_from(["", " ext 12", "x12", ";ext=123", " #7", ",12", ",,12#", " доб. 5", " int 4"]),
)
def test_a_written_number_is_what_the_library_reads(
    number: str, between: list[str], extension: str
) -> None:
    text = number
    for place, mark in enumerate(between[: len(number) - 3]):
        at = 3 + place * (1 + len(mark))
        text = text[:at] + mark + text[at:]
    assert canonical_phone(text + extension) == by_the_library(text + extension)


def test_every_number_that_the_library_gives_as_an_example_keeps_its_form() -> None:
    short = 0
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is not None:
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            found.append(text)
            assert canonical_phone(text) == text
            short += bool(module._E164.fullmatch(text)) and module._is_plainly_possible(text)
    assert len(found) > 200
    assert short > 0.95 * len(found), "the short way is there to be taken"


@pytest.mark.parametrize("text", [US, GB, "+4915123456789", "+33612345678", "+919876543210"])
def test_ordinary_numbers_never_see_the_library(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phonenumbers, "parse", None)
    assert canonical_phone(text) == text


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (Kind.EMAIL, "ana@example.com", "a•••@e•••.com"),
        (Kind.EMAIL, "jo@example.com", "•••@e•••.com"),
        (Kind.EMAIL, "ana@mail.example.co.uk", "a•••@m•••.uk"),
        (Kind.EMAIL, "ana@t.co", "a•••@•••.co"),
        (Kind.EMAIL, "ana@localhost", "a•••@•••"),
        (Kind.EMAIL, "ana@[192.0.2.1]", "a•••@•••"),
        (Kind.EMAIL, '"a@b"@example.com', '"•••@e•••.com'),
        (Kind.PHONE, US, "+1••••••••71"),
        (Kind.PHONE, GB, "+44••••••••56"),
        (Kind.PHONE, "+29021234", "+290•••34"),
        (Kind.PHONE, "+493012", "+49••••"),
        (Kind.PHONE, "+4930", "+49•••"),
    ],
)
def test_a_masked_address_shows_this_much(kind: Kind, value: str, shown: str) -> None:
    assert mask(kind, value) == shown
    assert repr(Address.parse(kind, value)) == f"Address({shown})"
    assert str([Address.parse(kind, value)]) == f"[Address({shown})]"


def test_a_masked_hash_shows_four_digits() -> None:
    hashed = Address.parse(Kind.EMAIL, f"sha256:{'ab' * 32}")
    assert (hashed.masked, repr(hashed)) == ("sha256:abab…", "Address(sha256:abab…)")


@given(st.emails() | mails)
@settings(max_examples=200, deadline=None)
def test_a_masked_email_address_holds_neither_its_name_nor_its_domain(text: str) -> None:
    value = form_or_none(Kind.EMAIL, text)
    assume(value is not None)
    local, _, domain = str(value).rpartition("@")
    host, _, last = domain.rpartition(".")
    shown_local, _, shown_domain = mask(Kind.EMAIL, str(value)).partition("@")
    shown_host = shown_domain.removesuffix(f".{last}")
    assert shown_local == "•••" or (shown_local == f"{local[0]}•••" and len(local) > 2)
    assert shown_host == "•••" or (shown_host == f"{host[0]}•••" and len(host) > 2)


@given(e164())
@settings(deadline=None)
def test_a_masked_phone_number_holds_at_most_two_digits_beside_its_country(text: str) -> None:
    value = form_or_none(Kind.PHONE, text)
    assume(value is not None)
    code, _, rest = mask(Kind.PHONE, str(value)).partition("•")
    assert str(value).startswith(code)
    shown = rest.strip("•")
    assert shown in ("", str(value)[-2:])
    assert len(code) + len(shown) < len(str(value))
