"""docs/sending.md as its readers would run it: each way to send asks first, and fails closed."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.conf import settings as django_settings
from django.core.mail.utils import DNS_NAME
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client as Twilio

from optout_service.client import Client, Unavailable
from optout_service.core import lint
from tests.client.conftest import Served
from tests.loopback import serving
from tests.server import free_port
from tests.smtp import Letterbox, letterbox
from tests.stage import ACCOUNT, LONG_CODE, TOKEN

PAGE = Path(__file__).parents[2] / "docs" / "sending.md"
PHONE = "+14155550123"
# The service of the tests is on loopback, and nobody signs.
OF_THE_STAGE = {"http", "post-without-https", "no-list-id"}

Here = dict[str, Any]
Send = Callable[[str], Any]
Texts = tuple[str, list[dict[str, list[str]]]]
"""Where texts are handed to Twilio, and those that were."""


@pytest.fixture(scope="module")
def post() -> Iterator[Letterbox]:
    """The mail server."""
    with letterbox() as box:
        yield box


@pytest.fixture(scope="module")
def texts() -> Iterator[Texts]:
    """Twilio."""
    with _twilio() as given:
        yield given


@pytest.fixture
def here(
    served: Served,
    post: Letterbox,
    texts: Texts,
    monkeypatch: pytest.MonkeyPatch,
) -> Here:
    """The names of the page, after all of it has been run."""
    if not django_settings.configured:
        django_settings.configure()
    monkeypatch.setattr(DNS_NAME, "_fqdn", "localhost", raising=False)
    monkeypatch.setattr("socket.getfqdn", lambda *_: "localhost")
    names: Here = {"BASE": served.server.base_url, "SENDER": served.cast.keys["sender"]}
    names |= {"MAIL_HOST": "127.0.0.1", "MAIL_PORT": post.port}
    names |= {"ACCOUNT": ACCOUNT, "TOKEN": TOKEN, "NUMBER": LONG_CODE}
    text = "".join(re.findall(r"```py\n(.*?)```", PAGE.read_text(), re.DOTALL))
    exec(compile(text, str(PAGE), "exec"), names)
    names["twilio"] = Twilio(ACCOUNT, TOKEN, http_client=_Aside(texts[0]))
    return names


def by_smtplib(here: Here) -> Send:
    return lambda address: here["mail"](address, "News", "Hello", "newsletter")


def by_django(here: Here, kind: str = "Marketing") -> Send:
    def send(address: str) -> Any:
        backend = here["AskingBackend"](host="127.0.0.1", port=here["MAIL_PORT"])
        make = here[kind]
        mail = make("News", "Hello", "shop@acme.example", [f"Jo <{address}>"], connection=backend)
        return mail.send(fail_silently=True)

    return send


def by_twilio(here: Here) -> Send:
    return lambda phone: here["text"](phone, "Hello", "newsletter")


WAYS = pytest.mark.parametrize("way", [by_smtplib, by_django])


@WAYS
def test_who_may_be_mailed_is_and_the_mail_has_nothing_to_object_to(
    here: Here, post: Letterbox, someone: str, way: Callable[[Here], Send]
) -> None:
    assert way(here)(someone)
    mail = post.messages[-1]
    read = lint.parse(mail[: lint.header_end(mail)])
    assert {finding.rule for finding in lint.findings(read, signed=False)} <= OF_THE_STAGE
    assert read.link is not None
    assert read.link.startswith(f"{here['BASE']}/u/")


@WAYS
def test_who_has_left_by_that_link_is_not_mailed_again(
    here: Here, post: Letterbox, served: Served, someone: str, way: Callable[[Here], Send]
) -> None:
    served.by("integration").opt_out(someone, topic="newsletter")
    before = len(post.messages)
    assert not way(here)(someone)
    assert len(post.messages) == before


@WAYS
def test_no_mail_is_sent_without_an_answer(
    here: Here, post: Letterbox, someone: str, way: Callable[[Here], Send]
) -> None:
    before = len(post.messages)
    here["client"] = nobody()
    with pytest.raises(Unavailable):
        way(here)(someone)
    assert len(post.messages) == before


def test_a_receipt_is_sent_to_who_left_the_newsletter_and_not_to_a_mailbox_that_is_gone(
    here: Here, post: Letterbox, served: Served, someone: str
) -> None:
    admin = served.by("admin")
    admin.opt_out(someone, topic="newsletter")
    before = len(post.messages)
    receipt = by_django(here, "EmailMultiAlternatives")
    assert receipt(someone)
    admin.opt_out(someone, topic="*", purpose="*", reason="bounced")
    assert not receipt(someone)
    assert len(post.messages) == before + 1


def test_who_may_be_texted_is(here: Here, texts: Texts) -> None:
    assert by_twilio(here)(PHONE)
    assert texts[1][-1] == {"To": [PHONE], "From": [LONG_CODE], "Body": ["Hello"]}


def test_who_has_left_is_not_texted(here: Here, texts: Texts, served: Served) -> None:
    served.by("integration").opt_out("+14155550124", channel="sms", topic="newsletter")
    before = len(texts[1])
    assert not by_twilio(here)("+14155550124")
    assert len(texts[1]) == before


def test_no_text_is_sent_without_an_answer(here: Here, texts: Texts) -> None:
    before = len(texts[1])
    here["client"] = nobody()
    with pytest.raises(Unavailable):
        by_twilio(here)(PHONE)
    assert len(texts[1]) == before


def nobody() -> Client:
    """A client of a service that is not there."""
    return Client(f"http://127.0.0.1:{free_port()}", "key", retries=0)


class _Aside(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's HTTP client, with another host for Twilio's."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> Any:
        return super().request(
            method, url.replace("https://api.twilio.com", self._url), *rest, **more
        )


@contextmanager
def _twilio() -> Iterator[Texts]:
    given: list[dict[str, list[str]]] = []

    class Api(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given.append(parse_qs(body))
            self.send_response(201)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Api)) as port:
        yield f"http://127.0.0.1:{port}", given
