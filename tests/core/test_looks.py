"""Looks that everybody can read, or a refusal that says what would be right."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import optout_service
from optout_service.core.colour import Colour
from optout_service.core.errors import InvalidRequest
from optout_service.core.looks import DARK, LIGHT, PART, TEXT, Looks, parse_colours
from tests import pictures

STYLE = Path(optout_service.__file__).parent / "recipients" / "templates" / "page.css"
NOTHING: dict[str, Any] = {
    "contact_url": "",
    "colour": "",
    "dark_colour": "",
    "language": "",
    "logo": b"",
}
COLOURS = st.builds(Colour, *[st.integers(0, 255)] * 3)


def test_what_is_empty_is_as_it_is_built_in() -> None:
    assert Looks.parse(**NOTHING) == Looks()
    assert Looks().shades() == {}


def test_looks_are_read_as_they_are_given() -> None:
    given = {"contact_url": "tel:+14155550100", "colour": "#A3182A", "dark_colour": "#ff99a8"}
    looks = Looks.parse(**given, language="pt-BR", logo=pictures.png())
    assert (looks.contact_url, looks.language) == ("tel:+14155550100", "pt")
    assert (str(looks.colour), str(looks.dark_colour)) == ("#a3182a", "#ff99a8")
    assert looks.logo is not None
    assert looks.logo.data == pictures.png()


def test_the_surfaces_are_those_of_the_page() -> None:
    light, dark = re.findall(r":root\{[^}]*--ground:(#\w+);--card:(#\w+);", STYLE.read_text())
    long = {"#fff": "#ffffff"}
    for theme, (ground, card) in ((LIGHT, light), (DARK, dark)):
        assert [*map(str, theme.surfaces)] == [long.get(card, card), long.get(ground, ground)]


@given(COLOURS, st.one_of(st.none(), COLOURS))
def test_whatever_is_taken_is_seen_and_read_in_both_themes(
    light: Colour, dark: Colour | None
) -> None:
    try:
        colours = parse_colours(str(light), str(dark or ""))
    except InvalidRequest:
        assert LIGHT.lacks(light) or (dark is not None and DARK.lacks(dark))
        return
    for theme, shades in Looks("", *colours).shades().items():
        assert shades.button.least_contrast(*theme.surfaces) >= PART
        assert shades.words.least_contrast(*theme.surfaces) >= TEXT
        assert shades.on_button.contrast(shades.button) >= TEXT


@pytest.mark.parametrize(
    ("light", "dark", "field"),
    [
        ("#ffd400", "", "colour"),
        ("#ffffff", "", "colour"),
        ("#1747b5", "#1747b5", "dark_colour"),
        ("#1747b5", "#000000", "dark_colour"),
    ],
)
def test_a_button_that_could_not_be_seen_is_refused_with_the_nearest_that_can(
    light: str, dark: str, field: str
) -> None:
    with pytest.raises(InvalidRequest, match="would not be seen") as refused:
        parse_colours(light, dark)
    assert refused.value.extra == {"field": field}
    nearest = re.findall("#[0-9a-f]{6}", refused.value.detail)[-1]
    assert parse_colours(*((nearest, "") if field == "colour" else (light, nearest)))


def test_a_dark_colour_alone_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="Give both"):
        parse_colours("", "#9dbdff")


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.example",
        "https://acme.example:8443/help?a=b&c=%20#top",
        "tel:+14155550100",
        "https://xn--bcher-kva.example/",
        "mailto:help@acme.example",
        "tel:+1-415-555-0100",
        "mailto:o'neil+x@acme.example",
        "tel:+1(415)5550100",
    ],
)
def test_a_contact_leads_to_a_site_a_mailbox_or_a_phone(url: str) -> None:
    assert Looks.parse(**NOTHING | {"contact_url": url}).contact_url == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "http://acme.example",
        "x",
        "//acme.example",
        "https:acme.example",
        "https://",
        "https://acme",
        "https:///acme.example",
        "https://acme.example@evil.example",
        "https://user:pw@acme.example",
        "https://[acme.example",
        "https://acme.example:99999",
        "https://acme.example:0",
        "https://acme.example/\r\nX: y",
        "https://acme.example/a b",
        "https://acme.example/\u202egpj.exe",
        "https://bücher.example",
        "https://acme.example/" + "x" * 280,
        " https://acme.example",
        "https://acme.example\x00",
        "mailto:help@acme.example?bcc=x@y.example",
        "mailto:a@b.example,c@d.example",
        "mailto:x",
        "mailto:a%0d%0aBcc:b@c.example",
        "mailto:sha256:" + "0" * 64,
        "mailto:",
        "tel:",
        "tel:911",
        "tel:0800123456",
        "tel:+1415555;ext=1",
        "tel:+",
        "ftp://acme.example",
        "sms:+14155550100",
    ],
)
def test_whatever_else_a_contact_leads_to_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Looks.parse(**NOTHING | {"contact_url": url})
    assert refused.value.extra == {"field": "contact_url"}


@pytest.mark.parametrize("tag", ["tlh", "en fr", "../de", "x" * 200, "sv-SE"])
def test_a_language_that_the_pages_lack_is_refused_with_those_they_have(tag: str) -> None:
    with pytest.raises(InvalidRequest, match="en, es, fr"):
        Looks.parse(**NOTHING | {"language": tag})
