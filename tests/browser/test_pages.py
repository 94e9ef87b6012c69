"""Every page and state, as a person meets it: in every language, narrow, dark, without script."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from optout_service.core.language import LANGUAGES
from tests.server import Server

NARROW = {"width": 320, "height": 640}
"""What 1280 pixels are at 400 % zoom (WCAG 2.2, 1.4.10)."""

LOOKS = [*((code, "light") for code in LANGUAGES), ("en", "dark"), ("en", "forced"), ("ar", "dark")]
WHOLLY = ("en", "ar")
ELSEWHERE = ("choose", "done", "damaged")
"""The states looked at in the other languages: between them they show nearly every text."""

Make = Callable[..., str]


def walk(page: Any, link: str, code: str) -> Iterator[str]:
    """Bring the page into one state after the other, and name it."""
    page.goto(f"{link}?lang={code}")
    yield "ask"
    page.click("summary")
    yield "choose"
    page.click("details form:last-child button")
    yield "nothing chosen"
    page.click("button[value=topic]")
    yield "done"
    page.goto(page.url)
    yield "stopped"
    page.click(".card > form:last-child button")
    yield "come back?"
    page.click("form button")
    yield "back"
    page.click("button[value=all]")
    yield "everything"
    page.click("[name=offer] + button")
    yield "undone"
    page.goto(f"{link[:-5]}?lang={code}")
    yield "damaged"
    page.fill("[name=address]", "jo@example.com")
    page.click("form button")
    yield "asked"


@pytest.mark.parametrize(("code", "theme"), LOOKS)
def test_no_state_has_an_accessibility_fault_or_scrolls_sideways(
    chromium: Any, link: Make, code: str, theme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    looks = {"forced_colors": "active"} if theme == "forced" else {"color_scheme": theme}
    context = chromium.new_context(viewport=NARROW, **looks)
    page = context.new_page()
    for state in walk(page, link("sms" if code == "en" else "email"), code):
        if code not in WHOLLY and state not in ELSEWHERE:
            continue
        faults = Axe().run(page, options=RULES)
        assert faults.violations_count == 0, f"{state}: {faults.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, state
        small = page.evaluate(SMALL)
        assert small == [], f"{state}: too small to hit"
    context.close()


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SMALL = """[...document.querySelectorAll('a, button, summary, label')]
    .filter(e => e.checkVisibility() && !e.closest('p, li > bdi, .card li'))
    .map(e => [e.outerHTML, e.getBoundingClientRect()])
    .filter(([_, box]) => box.width && box.height < 44).map(([html]) => html)"""


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_every_state_is_one_request_and_leaves_no_cookie(
    chromium: Any, link: Make, script: bool
) -> None:
    context = chromium.new_context(java_script_enabled=script)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    states = []
    for state in walk(page, link(), "en"):
        # Opening the choices asks nothing of anybody.
        assert len(asked) == (0 if state == "choose" else 1), (state, asked)
        asked.clear()
        states.append(page.inner_text("h1"))
    assert states == [
        "Stop these messages?",
        "Stop these messages?",
        "Stop these messages?",
        "You are unsubscribed",
        "You are unsubscribed",
        "Receive these messages again?",
        "Stop these messages?",
        "You are unsubscribed",
        "Stop these messages?",
        "This link is incomplete",
        "We have your request",
    ]
    assert context.cookies() == []
    context.close()


def test_the_keyboard_reaches_the_button_first_and_shows_where_it_is(
    chromium: Any, link: Make
) -> None:
    page = chromium.new_page()
    page.goto(link())
    page.keyboard.press("Tab")
    focused = "document.activeElement"
    assert page.evaluate(f"{focused}.value") == "topic"
    assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_selector("h1.good")
    assert "Newsletter" in page.inner_text("dl")
    page.close()


def test_the_switcher_needs_no_script(chromium: Any, link: Make) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="de-DE")
    page = context.new_page()
    page.goto(link())
    assert page.get_attribute("html", "lang") == "de"
    page.click("a[hreflang=ar]")
    assert page.get_attribute("html", "dir") == "rtl"
    page.click("button[value=topic]")
    assert page.get_attribute("html", "lang") == "ar"
    context.close()


def test_a_store_that_is_away_is_a_page_too_and_its_button_tries_again(
    chromium: Any, link: Make, server: Server
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = chromium.new_page()
    page.goto(link())
    page.click("summary")
    page.check("input[value='topic:offers']")
    with server.looking_in() as rt:
        rename(rt, "tenant", "away")
        try:
            page.click("details form:last-child button")
            assert "not recorded" in page.inner_text("h1")
            assert Axe().run(page, options=RULES).violations_count == 0
        finally:
            rename(rt, "away", "tenant")
    page.click("form button")
    assert "Offers" in page.inner_text("dl")
    page.close()


def rename(rt: Any, old: str, new: str) -> None:
    """As a migration gone wrong would."""
    with rt.writing() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
