"""Whatever comes to a link is answered clearly, and nothing odd ever writes or lifts anything."""

from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import tenants
from optout_service.store.tables import event, suppression
from tests.cast import ANA
from tests.recipients.pages import Page
from tests.stage import Cast

MAIL = Address.parse(Kind.EMAIL, ANA.email)
FILE = b"--b\r\nContent-Disposition: form-data; name=action; filename=x\r\n\r\ntopic\r\n--b--\r\n"
FORM = "application/x-www-form-urlencoded"
pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])  # what is odd is turned away before it
PARTS = "multipart/form-data; boundary=b"


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


@pytest.fixture
def left(client: FlaskClient, link: str) -> str:
    """A link whose reader has left the topic: there is something to lift."""
    client.post(link, data={"action": "topic"})
    return link


def ledger(rt: Runtime) -> tuple[int, int]:
    """How many events there are, and how many suppressions."""
    with rt.reading() as connection:
        events, standing = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (event, suppression)
        )
    return events, standing


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, b"action=undo"),
        (FORM, b"action=undo&offer=x"),
        (FORM, b"action=return"),
        (FORM, b"action=return&again=topic:offers&offer=" + b"A" * 5000),
        (FORM, b"action=return&again=topic:nothing"),
        (FORM, b"action=return&again=channel:voice"),
        (FORM, b"action=choose&stop=%FF%FE&stop=%00"),
        (FORM, b"action=choose&" + b"stop=&" * 20_000),
        (FORM, b"action=%74%6fpic%00"),
        (FORM, b"action=topic%20"),
        (FORM, b"action=TOPIC"),
        (FORM, b"action[]=topic&action[0]=all"),
        (FORM, b"action\xff=topic"),
        (FORM, b"&&&===%%%"),
        (FORM, b"x=" * 100_000),
        (f"{FORM}; charset=utf-16", "action=topic".encode("utf-16")),
        (f"{FORM}; charset=no-such", b"action=tropic"),
        (FORM, "action=topíc".encode("latin-1")),
        (
            PARTS,
            b"--b\r\nContent-Disposition: form-data; name=action\r\n\r\n\xfftopic\r\n--b--\r\n",
        ),
        (PARTS, b"--b\r\nContent-Disposition: form-data\r\n\r\ntopic\r\n--b--\r\n"),
        (PARTS, FILE),
        ("multipart/form-data", b"--b\r\n\r\n"),
        ("multipart/form-data; boundary=", b"--\r\n\r\n"),
        ("application/json", b'{"action": "topic"}'),
        ("text/plain; charset=utf-7", b"+ACI-action=topic"),
        ("\xff/\xfe;;;", b"action=topic"),
    ],
    ids=range(26),
)
def test_an_odd_form_gets_a_page_and_neither_writes_nor_lifts(
    rt: Runtime, client: FlaskClient, left: str, content_type: str, body: bytes
) -> None:
    before = ledger(rt)
    answer = client.post(left, data=body, content_type=content_type)
    assert answer.status_code in (200, 400, 413)
    assert Page(answer.text).tags.count("h1") == 1
    assert ledger(rt) == before


def test_one_click_is_heard_beside_a_part_that_has_no_name(
    rt: Runtime, client: FlaskClient, link: str
) -> None:
    nameless = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
    said = b"--b\r\nContent-Disposition: form-data; name=List-Unsubscribe\r\n\r\nOne-Click\r\n"
    answer = client.post(link, data=nameless + said + b"--b--\r\n", content_type=PARTS)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert ledger(rt) == (1, 1)


def test_a_body_over_the_limit_is_refused_in_words(
    rt: Runtime, client: FlaskClient, link: str
) -> None:
    body = b"action=topic&x=" + b"x" * rt.settings.max_body_bytes
    answer = client.post(link, data=body, content_type=FORM)
    assert answer.status_code == 413
    assert "Nothing was changed" in Page(answer.text).words
    assert ledger(rt) == (0, 0)


@pytest.mark.parametrize(
    "query",
    [
        "action=topic",
        "action=all&stop=topic:offers",
        "List-Unsubscribe=One-Click",
        "lang=%FF%FE",
        "lang=de%00",
        "lang[]=de&lang=",
        "lang=" + "x" * 5000,
        "&".join(["lang=xx"] * 1500),
        "%",
    ],
    ids=lambda query: query[:30],
)
def test_whatever_the_query_says_looking_writes_nothing(
    rt: Runtime, client: FlaskClient, left: str, query: str
) -> None:
    before = ledger(rt)
    for method in ("GET", "HEAD"):
        assert client.open(f"{left}?{query}", method=method).status_code == 200
    assert ledger(rt) == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "X-Y"])
def test_a_method_that_a_link_does_not_take_is_405_and_says_which_it_takes(
    rt: Runtime, client: FlaskClient, link: str, method: str
) -> None:
    for ending in ("", "/", "?action=topic"):
        answer = client.open(f"{link}{ending}", method=method, data={"action": "topic"})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert ledger(rt) == (0, 0)


def test_a_box_that_is_ticked_twenty_thousand_times_is_ticked_once(
    rt: Runtime, client: FlaskClient, link: str
) -> None:
    answer = client.post(link, data={"action": "choose", "stop": ["topic:offers"] * 20_000})
    assert "Offers" in Page(answer.text).words
    assert ledger(rt) == (1, 1)


def test_dozens_of_topics_can_be_ticked_at_once_and_undone_at_once(
    rt: Runtime, cast: Cast, client: FlaskClient, link: str
) -> None:
    slugs = [f"stream-{n}" for n in range(40)]
    with rt.writing() as connection:
        for slug in slugs:
            tenants.create_topic(connection, cast.acme, slug)
    ticked = {"action": "choose", "stop": [f"topic:{slug}" for slug in slugs]}
    done = Page(client.post(link, data=ticked).text)
    assert ledger(rt) == (40, 40)
    undone = client.post(
        link, data=urlencode({"action": "undo", "offer": done.offer}), content_type=FORM
    )
    assert "Undone" in Page(undone.text).words
    assert ledger(rt) == (80, 0)
