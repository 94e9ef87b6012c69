"""Links: they live for ever, tell nobody an address, and no letter of them can be changed."""

import base64
import string

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import Signer

from optout_service.core import token as module
from optout_service.core.address import Address
from optout_service.core.errors import (
    BadToken,
    InvalidAddress,
    InvalidRequest,
    UnknownChannel,
    UnknownTopic,
)
from optout_service.core.keyring import KeyRing
from optout_service.core.scope import Kind
from optout_service.core.token import Claim, Links

OLD = KeyRing(bytes(range(32)), (bytes(range(32, 64)),), (bytes(range(64, 96)),))
NEW = KeyRing(OLD.pepper, OLD.encryption, (*OLD.signing, bytes(range(96, 128))))
ONLY_NEW = KeyRing(OLD.pepper, OLD.encryption, NEW.signing[1:])
JO = Address.parse(Kind.EMAIL, "jo@example.com")
PHONE = Address.parse(Kind.PHONE, "+14155552671")
LINKS = Links(OLD)

# These links are in people's mail. They were written once and are never made again from the code.
GOLDEN = {
    "AQAAAAEAB4L8xoSyt71GnY1fIrEb-_arvLf3UMgLA61GfBQ0hODCffTD6PMa8LU~"
    "ZzcWsmG9nwGNbwfaSH_g9d-ukJStPV5BK4Dh6l0CT1g": Claim(1, "email", JO),
    "AQAAAAHpbP8piKrIYw0zayCgmHsfGFN9AgKHoz2GYUniKaKpFXsC4sEJ0yZt446-Wb2FtSvmoLRZIEvifQ~"
    "bW8siDe-WungtX5txGxMG_j5cMdyxAKBScrmnlEwhlQ": Claim(1, "email", JO, "newsletter", "m-1", "de"),
    "AQABEXBbwUPE7tfCcepRSfBRCUqJ3iuE9WrtPcbNrzyaN6EHDp5kvSHVGCwEX2Ie~"
    "BYxWFDtkCXMdlDOgQsxkhLt7kG3vBgUpjceGCQZQlnc": Claim(70000, "sms", PHONE, "offers"),
}
SIGNED_BY_THE_NEW_KEY = (
    "AQAAAAGJ2yptJgT4-EhfcZIZ9TEvJ1G4haIm9N7RUaGT-bmqvoJFecitFzJ4GC4~"
    "8XQl0f4z6BNEhrIa0Djuouzz_f7quU8RkZA0GpID_Wc"
)
LETTERS = string.ascii_letters + string.digits + "-_"

claims = st.builds(
    Claim,
    st.integers(0, 2**32 - 1),
    st.just("email"),
    st.builds(
        lambda name: Address.parse(Kind.EMAIL, f"{name}@example.com"),
        st.from_regex(r"[a-z]{1,60}", fullmatch=True),
    ),
    st.sampled_from(["*", "newsletter", "a-b_c"]),
    st.text(max_size=40),
    st.sampled_from(["", "de", "zh-Hans"]),
)


@pytest.mark.parametrize(("token", "claim"), GOLDEN.items())
def test_a_link_that_was_once_sent_is_read_for_ever(token: str, claim: Claim) -> None:
    assert LINKS.read(token) == claim
    assert LINKS.mint(claim) == token


def test_a_new_signing_key_signs_and_the_old_links_still_work() -> None:
    links = Links(NEW)
    assert links.mint(Claim(1, "email", JO)) == SIGNED_BY_THE_NEW_KEY
    for token, claim in GOLDEN.items():
        assert links.read(token) == claim


def test_a_key_that_was_taken_off_the_ring_opens_nothing() -> None:
    assert Links(ONLY_NEW).read(SIGNED_BY_THE_NEW_KEY) == Claim(1, "email", JO)
    for token in GOLDEN:
        with pytest.raises(BadToken):
            Links(ONLY_NEW).read(token)


@given(claims)
def test_what_is_minted_can_be_read(claim: Claim) -> None:
    assert LINKS.read(LINKS.mint(claim)) == claim


def test_many_links_are_the_same_as_one_by_one() -> None:
    assert list(LINKS.mint_many(GOLDEN.values())) == list(GOLDEN)


@given(claims)
def test_the_signature_is_what_itsdangerous_would_write(claim: Claim) -> None:
    token = LINKS.mint(claim)
    signer = Signer(
        list(OLD.link_ring(claim.tenant)),
        salt=b"optout.link",
        sep="~",
        key_derivation="hmac",
        digest_method=module.sha256,
    )
    assert signer.sign(token.partition("~")[0]).decode() == token


@pytest.mark.parametrize("token", GOLDEN)
def test_no_letter_can_be_changed_left_out_or_added(token: str) -> None:
    mutations = set()
    for place in range(len(token)):
        mutations.add(token[:place] + token[place + 1 :])
        for letter in LETTERS if place in (len(token) - 1, token.index("~") - 1) else "Aa0-_~.=":
            mutations.add(token[:place] + letter + token[place + 1 :])
            mutations.add(token[:place] + letter + token[place:])
    mutations |= {token + letter for letter in [*LETTERS, "=", "==", ".", "~", " ", "\n", "ä"]}
    mutations |= {
        f" {token}",
        token.swapcase(),
        token.replace("~", "."),
        token * 2,
        f"{token}~{token}",
    }
    assert len(mutations) > 2000
    for mutation in mutations - {token}:
        with pytest.raises(BadToken):
            LINKS.read(mutation)


def test_the_halves_of_two_links_make_no_third() -> None:
    halves = [token.split("~") for token in GOLDEN]
    for first in halves:
        for second in halves:
            if first is not second:
                with pytest.raises(BadToken):
                    LINKS.read(f"{first[0]}~{second[1]}")


@given(st.text() | st.text(LETTERS + "~"))
@example("")
@example("~")
@example("AQAAAAE~")
@example("A" * 100_000)
@example("AQAAAAE" + "A" * 100_000 + "~" + "A" * 43)
def test_any_other_text_is_a_bad_token_and_nothing_worse(text: str) -> None:
    with pytest.raises(BadToken):
        LINKS.read(text)


def sign(payload: bytes, tenant: int = 1) -> str:
    """A token with a genuine signature over any payload."""
    text = base64.urlsafe_b64encode(payload).rstrip(b"=").decode()
    signer = Signer(
        list(OLD.link_ring(tenant)),
        salt=b"optout.link",
        sep="~",
        key_derivation="hmac",
        digest_method=module.sha256,
    )
    return signer.sign(text).decode()


@pytest.mark.parametrize(
    "fields",
    [
        ["pigeon", "jo@example.com", "*"],
        ["email", "jo@example.com", "No Slug"],
        ["email", "jo@example.com"],
        ["email", 7, "*"],
        "text",
    ],
)
def test_a_genuine_signature_over_nonsense_is_a_bad_token(fields: object) -> None:
    header = b"\x01\x00\x00\x00\x01"
    cipher = module._cipher(OLD.link_ring(1)[0])
    with pytest.raises(BadToken):
        LINKS.read(sign(header + cipher.encrypt(msgspec.msgpack.encode(fields), [header])))


def test_a_link_of_the_future_with_more_fields_is_read_for_what_we_know() -> None:
    header = b"\x01\x00\x00\x00\x01"
    fields = ["email", "jo@example.com", "*", "m", "de", "a field of tomorrow"]
    cipher = module._cipher(OLD.link_ring(1)[0])
    token = sign(header + cipher.encrypt(msgspec.msgpack.encode(fields), [header]))
    assert LINKS.read(token) == Claim(1, "email", JO, "*", "m", "de")


def test_a_link_of_another_version_is_refused() -> None:
    with pytest.raises(BadToken):
        LINKS.read(sign(b"\x02\x00\x00\x00\x01" + bytes(40)))


def test_every_fault_is_told_in_the_same_words() -> None:
    details = set()
    for text in (
        "",
        "~",
        "ä",
        next(iter(GOLDEN))[:-1],
        sign(b"\x01\x00\x00\x00\x01" + bytes(40)),
    ):
        with pytest.raises(BadToken) as refusal:
            LINKS.read(text)
        details.add(refusal.value.detail)
    assert len(details) == 1


@given(claims)
def test_a_link_shows_no_address_and_survives_mail(claim: Claim) -> None:
    token = LINKS.mint(claim)
    assert set(token) <= set(LETTERS + "~")
    assert token[-1] not in "-_~"
    decoded = base64.urlsafe_b64decode(token.partition("~")[0] + "==")
    assert b"example" not in decoded


def test_an_ordinary_link_has_less_than_180_characters() -> None:
    jo_anne = Address.parse(Kind.EMAIL, "jo.anne@example.com")
    token = LINKS.mint(Claim(1, "email", jo_anne, "newsletter", "c42-20261124"))
    assert 120 <= len(f"https://optout.example.com/u/{token}") <= 180


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        (
            Claim(1, "email", Address.parse(Kind.EMAIL, f"sha256:{'0' * 64}")),
            InvalidAddress,
        ),
        (Claim(1, "sms", JO), InvalidAddress),
        (Claim(1, "pigeon", JO), UnknownChannel),
        (Claim(1, "email", JO, "No Slug"), UnknownTopic),
        (Claim(1, "email", JO, message="m" * 201), InvalidRequest),
        (Claim(1, "email", JO, language="d" * 36), InvalidRequest),
    ],
    ids=[
        "a hash",
        "a phone's channel",
        "no channel",
        "no slug",
        "a long id",
        "a long tag",
    ],
)
def test_a_claim_that_makes_no_sense_is_not_minted(claim: Claim, error: type[Exception]) -> None:
    with pytest.raises(error):
        LINKS.mint(claim)
