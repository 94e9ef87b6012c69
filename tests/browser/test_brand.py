"""A brand's own colours and logo, as a person meets them: light and dark, narrow and wide."""

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from optout_service.core.looks import Looks
from tests.browser.test_pages import ELSEWHERE, NARROW, RULES, SMALL, walk
from tests.recipients.dress import dress
from tests.server import Server

Make = Callable[..., str]
PALE = "as pale as it may be"
COLOURS = {
    "dark red": ("#a3182a", ""),
    PALE: ("#a78b00", "#646a70"),
    "black": ("#000000", ""),
}
DRAW = """() => {
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [360, 120];
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#a3182a'; pen.beginPath(); pen.arc(60, 60, 50, 0, 7); pen.fill();
    pen.fillStyle = '#1a1a1a'; pen.font = 'bold 64px sans-serif'; pen.fillText('Acme', 130, 82);
    return canvas.toDataURL('image/webp', 0.6).split(',')[1];
}"""


@pytest.fixture(scope="module")
def drawing(chromium: Any) -> bytes:
    """A wide logo with letters on a clear ground."""
    page = chromium.new_page()
    page.goto("about:blank")
    drawn: str = page.evaluate(DRAW)
    page.close()
    return b64decode(drawn)


@pytest.fixture
def dressed(server: Server, drawing: bytes) -> Any:
    """Give the tenant these colours and the logo, until the test is over."""
    tenant: int = server.acme  # type: ignore[attr-defined]

    def put(colour: str, dark_colour: str) -> None:
        looks = Looks.parse(
            contact_url="mailto:help@acme.example",
            colour=colour,
            dark_colour=dark_colour,
            language="",
            logo=drawing,
        )
        with server.looking_in() as rt:
            dress(rt, tenant, looks)

    yield put
    with server.looking_in() as rt:
        dress(rt, tenant, Looks())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", COLOURS)
def test_no_state_has_an_accessibility_fault_in_a_brands_own_colours(
    chromium: Any, link: Make, dressed: Any, name: str, theme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    dressed(*COLOURS[name])
    context = chromium.new_context(viewport=NARROW, color_scheme=theme)
    page = context.new_page()
    for state in walk(page, link(), "ar" if name == "black" else "en"):
        if name != PALE and state not in ELSEWHERE:
            continue
        faults = Axe().run(page, options=RULES)
        assert faults.violations_count == 0, f"{state}: {faults.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, state
        assert page.evaluate(SMALL) == [], f"{state}: too small to hit"
    context.close()


def test_the_policy_lets_the_brands_style_and_logo_in_and_nothing_is_asked_for(
    chromium: Any, link: Make, dressed: Any
) -> None:
    dressed(*COLOURS["dark red"])
    context = chromium.new_context(java_script_enabled=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(link())
    assert page.evaluate("document.querySelector('.brand img').naturalWidth") == 360
    button = "getComputedStyle(document.querySelector('button[value=topic]')).backgroundColor"
    assert page.evaluate(button) == "rgb(163, 24, 42)"
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [page.url]
    assert page.get_by_role("img").get_attribute("alt") == "Acme Shop"
    context.close()
