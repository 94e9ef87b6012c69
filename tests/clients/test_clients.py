"""Each leaves by nothing but a link or the headers; that it did is asked of the service, not of it.

What they do with a mailbox is not tried: they read Gmail's API or IMAP and send by Gmail's SMTP.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.clients.needs import missing
from tests.server import Server
from tests.stage import Cast

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

ELSEWHERE = "https://optout.example.com"


@dataclass(frozen=True)
class Mail:
    """What one recipient got, and the service it is from."""

    server: Server
    cast: Cast
    address: str
    link: str
    headers: dict[str, str]

    def suppressed(self, topic: str = "newsletter") -> bool:
        """The answer to a sender who asks now."""
        answer = httpx.post(
            f"{self.server.base_url}/v1/check",
            json={"channel": "email", "address": self.address, "topic": topic},
            headers={"Authorization": f"Bearer {self.cast.keys['sender']}"},
        )
        found: bool = answer.json()["suppressed"]
        return found


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Cast]]:
    """The service, under gunicorn."""
    server = Server(tmp_path_factory.mktemp("clients"))
    cast = server.set_up()
    server.start()
    yield server, cast
    server.stop()


NUMBERS = count(1)


@pytest.fixture
def mail(service: tuple[Server, Cast]) -> Mail:
    """A newsletter to somebody new, with the headers that the service gives for it."""
    server, cast = service
    address = f"reader{next(NUMBERS)}@example.com"
    made = httpx.post(
        f"{server.base_url}/v1/links",
        json={"address": address, "topic": "newsletter"},
        headers={"Authorization": f"Bearer {cast.keys['sender']}"},
    ).json()
    mail = Mail(server, cast, address, made["url"], made["headers"])
    assert not mail.suppressed()
    return mail


def left_the_newsletter_alone(mail: Mail) -> bool:
    return mail.suppressed() and not mail.suppressed("offers")


def test_auto_unsub_leaves_by_the_headers(mail: Mail) -> None:
    from sweeper.unsub_parse import parse_list_unsubscribe
    from sweeper.unsubscribe import unsubscribe

    # It takes one click for https alone, as it should; the header is that of such a service.
    header = mail.headers["List-Unsubscribe"].replace(mail.server.base_url, ELSEWHERE)
    one_click = mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    target = parse_list_unsubscribe(header, one_click)
    assert target.method == "one_click_post"
    url = target.https_url.replace(ELSEWHERE, mail.server.base_url)
    assert unsubscribe(target.method, url) == (200, url)
    assert left_the_newsletter_alone(mail)


def test_auto_unsub_has_left_nothing_where_it_only_opened_the_link(mail: Mail) -> None:
    from sweeper.unsubscribe import unsubscribe

    assert unsubscribe("https_link", mail.link) == (200, mail.link), "it takes this for success"
    assert not mail.suppressed()


@pytest.fixture
def gmail_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, bool], bool]]:
    """Leaves by a link; by one click if that is so. Without its guard against loopback."""
    from gmail_mgr import unsubscribe

    monkeypatch.setattr(unsubscribe, "_is_private_host", lambda host: False)
    with httpx.Client() as client:
        yield lambda url, one_click: unsubscribe.http_unsubscribe(client, url, one_click)[0]


@pytest.mark.parametrize("one_click", [True, False], ids=["by one click", "by the page's form"])
def test_gmail_manager_leaves(
    mail: Mail, gmail_manager: Callable[[str, bool], bool], one_click: bool
) -> None:
    assert gmail_manager(mail.link, one_click)
    assert left_the_newsletter_alone(mail)


def test_gmail_manager_knows_a_link_that_is_none(
    mail: Mail, gmail_manager: Callable[[str, bool], bool]
) -> None:
    assert not gmail_manager(mail.link[:-1], True)
    assert not gmail_manager(mail.link[:-1], False)
    assert not mail.suppressed()


def unsubmail(link: str, folder: Path) -> bool:
    """What it does with a link that it has found in a message: a program of its own."""
    program = (
        "import sys; from unsubmail import http; sys.exit(not http.process_unsub(sys.argv[1]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, link],
        env={"HOME": str(folder)},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode in (0, 1), ran.stderr
    return ran.returncode == 0


def test_unsubmail_leaves_by_the_pages_form(mail: Mail, tmp_path: Path) -> None:
    assert unsubmail(mail.link, tmp_path)
    assert left_the_newsletter_alone(mail)


def test_unsubmail_sends_a_person_nothing_to_read_where_it_fills_in_a_damaged_links_form(
    mail: Mail, tmp_path: Path
) -> None:
    assert unsubmail(mail.link[:-1], tmp_path), "it takes this for success"
    assert not mail.suppressed()
    for by in ("admin", "platform"):
        key = {"Authorization": f"Bearer {mail.cast.keys[by]}"}
        answer = httpx.get(f"{mail.server.base_url}/v1/reviews", headers=key)
        assert answer.json()["items"] == []
