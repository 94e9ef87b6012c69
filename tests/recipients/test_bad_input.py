"""Whatever comes to the recipients' door: a clear page or status, and nothing is written."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from tests.recipients.pages import Page
from tests.recipients.test_page import MAIL, everything
from tests.stage import Cast

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
REQUEST = "/u/-/request"


@pytest.fixture
def link(rt: Runtime, cast: Cast) -> str:
    return f"/u/{rt.links.mint(Claim(cast.acme, 'email', MAIL, 'newsletter'))}"


@pytest.fixture(autouse=True)
def nothing_is_written(rt: Runtime, cast: Cast) -> Iterator[None]:
    """Neither an event nor a suppression, nor anything else."""
    before = everything(rt)
    yield
    assert everything(rt) == before


def part(name: str, value: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


BODIES: dict[str, tuple[str, bytes, int]] = {
    "a body over the limit": (FORM, b"List-Unsubscribe=" + b"x" * 3_000_000, 413),
    "a multipart body over the limit": (MULTIPART, part("a", "x" * 3_000_000) + b"--b--", 413),
    "thousands of checkboxes": (FORM, b"action=choose" + b"&stop=topic:offers2" * 5000, 200),
    "thousands of parts": (MULTIPART, part("stop", "topic:offers") * 5000 + b"--b--", 413),
    "a topic that there is not": (FORM, b"action=choose&stop=topic:offers&stop=topic:x", 200),
    "an action that there is not": (FORM, b"action=everything", 200),
    "bytes that are no text": (FORM, b"action=%ff%fe&\xff\xfe=\x00", 200),
    "a charset that there is not": (f"{FORM}; charset=klingon", b"action=%FF", 200),
    "another charset": (f"{FORM}; charset=utf-16", "action=topic".encode("utf-16"), 200),
    "no boundary": ("multipart/form-data", b"--b\r\n", 200),
    "a boundary of 10,000": (f"multipart/form-data; boundary={'b' * 10_000}", b"--b", 200),
    "a part that does not end": (MULTIPART, part("action", "topic")[:-2], 200),
    "an offer of nonsense": (FORM, b"action=undo&offer=%00~~", 200),
    "an offer that is too long": (FORM, b"action=return&offer=" + b"A" * 20_000, 200),
    "JSON": ("application/json", b'{"List-Unsubscribe": "Two-Clicks"}', 200),
}


@pytest.mark.parametrize(("content_type", "body", "status"), BODIES.values(), ids=BODIES)
def test_an_odd_body_is_answered_by_a_page_and_does_nothing(
    client: FlaskClient, link: str, content_type: str, body: bytes, status: int
) -> None:
    answer = client.post(link, data=body, content_type=content_type)
    assert answer.status_code == status
    assert Page(answer.text).tags.count("h1") == 1


@pytest.mark.parametrize("dialect", ["sqlite"])  # the store is not asked
@pytest.mark.parametrize("name", [name for name, (*_, status) in BODIES.items() if status == 413])
def test_a_huge_request_for_help_is_refused(client: FlaskClient, name: str) -> None:
    content_type, body, _ = BODIES[name]
    answer = client.post(REQUEST, data=body, content_type=content_type)
    assert answer.status_code == 413
    assert Page(answer.text).tags.count("h1") == 1


@pytest.mark.parametrize("dialect", ["sqlite"])  # the store is not asked
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "BREW"])
@pytest.mark.parametrize("path", ["link", "/u/x", REQUEST])
def test_a_method_that_there_is_not_is_a_405_that_says_which_there_are(
    client: FlaskClient, link: str, path: str, method: str
) -> None:
    answer = client.open(link if path == "link" else path, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("dialect", ["sqlite"])  # the store is not asked
@pytest.mark.parametrize("path", ["link", REQUEST])
def test_options_says_what_there_is(client: FlaskClient, link: str, path: str) -> None:
    answer = client.options(link if path == "link" else path)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize(
    "query",
    ["lang=%ff", "lang=" + "x" * 4000, "action=topic", "offer=x&action=undo", "%00=%00", "a=b" * 9],
)
def test_no_query_makes_opening_a_link_do_anything(
    client: FlaskClient, link: str, query: str
) -> None:
    assert client.get(f"{link}?{query}").status_code == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=3000) | st.text("AQabz019-_~%=&#;<>./ \r\n", max_size=300),
    st.sampled_from(["GET", "HEAD", "POST"]),
)
def test_a_token_of_any_length_and_alphabet_is_a_page(
    client: FlaskClient, token: str, method: str
) -> None:
    def environ() -> dict[str, Any]:
        # As a server hands it over: decoded once, and nothing taken for a query.
        path = f"/u/{token}".encode("utf-8", "surrogatepass").decode("latin-1")
        return {"REQUEST_METHOD": method, "PATH_INFO": path}

    answer = client.open("/", environ_overrides=environ())
    assert answer.status_code == 404
    assert method == "HEAD" or Page(answer.text).tags.count("h1") == 1
    assert len(answer.data) < 20_000
