"""What is said back: every language says what must be said, and a tenant's own words do too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import texts
from optout_service.core.errors import InvalidRequest
from optout_service.core.segments import length
from optout_service.core.texts import Brand, Said, built_in, check, choose, fill

ACME = Brand("Acme Shop", "help@acme.example")
THIRTEEN = ["ar", "de", "en", "es", "fr", "he", "hi", "it", "ja", "nl", "pl", "pt", "zh"]
SPOKEN = [said for said in Said if said is not Said.REVIEW]


def test_there_are_words_in_thirteen_languages() -> None:
    assert texts.languages() == THIRTEEN


@pytest.mark.parametrize("said", SPOKEN)
@pytest.mark.parametrize("language", THIRTEEN)
def test_the_built_in_words_keep_the_rules_for_a_tenants_own(language: str, said: Said) -> None:
    text = built_in(said, language)
    assert text is not None
    assert check(said, language, text, ACME).segments <= 3
    for part in ("[", "]", "{", "}"):
        assert part not in fill(text, ACME)


@pytest.mark.parametrize("said", SPOKEN)
@pytest.mark.parametrize("language", THIRTEEN)
def test_a_brand_without_a_contact_gets_whole_sentences(language: str, said: Said) -> None:
    text = fill(built_in(said, language) or "", Brand("Acme", ""))
    assert text.startswith("Acme")
    assert not text.rstrip().endswith((":", "："))
    assert not any(left in text for left in ("[", "{", "  "))


@pytest.mark.parametrize("language", ["en", "es", "fr", "de", "pt", "it", "nl"])
def test_a_confirmation_in_the_gsm_alphabet_fits_one_segment(language: str) -> None:
    found = length(fill(built_in(Said.STOP, language) or "", ACME))
    assert (found.encoding, found.segments) == ("gsm-7", 1)


def test_for_doubtful_words_nothing_is_built_in() -> None:
    assert choose(lambda _: None, Said.REVIEW, ["en"]) is None


GOOD = {
    Said.STOP: "{brand}: no more. START brings us back.",
    Said.START: "{brand}: welcome back. STOP ends it.",
    Said.HELP: "{brand}, {contact}. 4 msgs/month, msg rates may apply. STOP ends it.",
    Said.REFUSED: "{brand}: ask {contact}.",
    Said.REVIEW: "{brand}: did you mean STOP?",
}


@pytest.mark.parametrize("said", Said)
def test_a_text_with_all_its_parts_is_taken(said: Said) -> None:
    assert check(said, "en", GOOD[said], ACME).segments == 1


MISSING = [
    (Said.STOP, "{brand}", "us", "the brand's name"),
    (Said.STOP, "START", "RESTART", "how to come back"),
    (Said.STOP, "START", "start", "how to come back"),
    (Said.START, "STOP", "we", "how to stop"),
    (Said.HELP, "{brand}", "us", "the brand's name"),
    (Said.HELP, "{contact}", "us", "the brand's contact"),
    (Said.HELP, "4 msgs/month", "some", "how often messages come"),
    (Said.HELP, "msg rates may apply", "cheap", "what they may cost"),
    (Said.HELP, "STOP", "NONSTOP", "how to stop"),
    (Said.REFUSED, "{contact}", "us", "the brand's contact"),
    (Said.REVIEW, "STOP", "it", "how to stop"),
]


@pytest.mark.parametrize(("said", "part", "instead", "told"), MISSING)
def test_a_part_that_is_missing_is_named(said: Said, part: str, instead: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        check(said, "en", GOOD[said].replace(part, instead), ACME)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        check(Said.HELP, "de", "Ja?", ACME)
    for part in ("{brand}", "{contact}", "STOP", "häufigkeit", "kosten"):
        assert part in refused.value.detail


def test_the_brands_own_name_and_contact_may_be_written_out() -> None:
    text = (
        "Acme Shop (help@acme.example): Frequenz: 1 Nachricht im Monat, ohne Kosten. STOP beendet."
    )
    assert check(Said.HELP, "de", text, ACME).segments == 1


def test_in_a_language_without_a_list_the_words_for_cost_are_not_looked_for() -> None:
    assert check(Said.HELP, "ko", "{brand} {contact} STOP", ACME)
    with pytest.raises(InvalidRequest):
        check(Said.HELP, "pt-br", "{brand} {contact} STOP", ACME)


@pytest.mark.parametrize("text", ["{name} START", "{} START", "{brand} START {", "{brand} START }"])
def test_an_unknown_placeholder_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"\{brand\} and \{contact\}"):
        check(Said.STOP, "en", f"{{brand}} {text}", ACME)


@pytest.mark.parametrize("link", ["http://acme.example", "HTTP://acme.example", "www.acme.example"])
def test_a_link_that_is_not_https_is_refused(link: str) -> None:
    with pytest.raises(InvalidRequest, match="https"):
        check(Said.STOP, "en", f"{GOOD[Said.STOP]} {link}", ACME)
    assert check(Said.STOP, "en", f"{GOOD[Said.STOP]} https://acme.example", ACME)


@pytest.mark.parametrize("text", ["", "  ", "x" * 1601])
def test_a_blank_or_endless_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="1600"):
        check(Said.STOP, "en", text, ACME)


def test_a_text_of_four_segments_is_refused_and_counted() -> None:
    text = GOOD[Said.STOP] + "x" * (3 * 153)
    with pytest.raises(InvalidRequest, match=r"4 segments \(50. units in gsm-7\)"):
        check(Said.STOP, "en", text, ACME)


OWN = {"fr": "own fr", "de-at": "own de-at"}
CHOICES = [
    (["fr"], "own fr"),
    (["fr-ca"], "own fr"),
    (["de-at"], "own de-at"),
    (["es", "fr"], built_in(Said.STOP, "es")),
    (["de"], built_in(Said.STOP, "de")),
    (["ko", "fr"], "own fr"),
    (["", "ko"], built_in(Said.STOP, "en")),
    ([], built_in(Said.STOP, "en")),
]


@pytest.mark.parametrize(("wanted", "chosen"), CHOICES)
def test_the_first_language_that_has_words_is_spoken(wanted: list[str], chosen: str) -> None:
    assert choose(OWN.get, Said.STOP, wanted) == chosen


@pytest.mark.parametrize(
    ("tag", "read"), [("EN", "en"), ("pt_BR", "pt-br"), (" zh-Hant-TW ", "zh-hant-tw")]
)
def test_a_languages_tag_is_read(tag: str, read: str) -> None:
    assert texts.parse_language(tag) == read


@pytest.mark.parametrize("tag", ["", "e", "english", "en-", "en us", "én", "a" * 40])
def test_what_is_no_languages_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidRequest):
        texts.parse_language(tag)


@given(st.text(max_size=200), st.text(max_size=30), st.text(max_size=30))
def test_filling_never_fails_and_a_brand_cannot_bring_in_a_placeholder(
    text: str, name: str, contact: str
) -> None:
    fill(text, Brand(name, contact))
    assert fill("{brand}", Brand("{contact}", contact)) == "{contact}"
