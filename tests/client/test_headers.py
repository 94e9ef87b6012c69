"""The header fields in mails of Python's own making: one line each, on the wire."""

import copy
import pickle
import smtplib
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest

from optout_service.client import Client, Refused
from optout_service.client.headers import add_headers, headers
from tests.smtp import Letterbox, letterbox

URL = f"https://optout.example.com/u/{'AQAAAAE' * 20}~{'b' * 43}"
BOX = "unsubscribe@example.com"
TOKEN = URL.rpartition("/")[2]
LINE = f"List-Unsubscribe: <{URL}>, <mailto:{BOX}?subject={TOKEN}>".encode()
POST = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click"
NEWER = {
    "default": policy.default,
    "SMTP": policy.SMTP,
    "SMTPUTF8": policy.SMTPUTF8,
    "HTTP": policy.HTTP,
    "strict": policy.strict,
    "narrow": policy.SMTP.clone(max_line_length=40),
    "refolding": policy.SMTP.clone(refold_source="all"),
}
POLICIES = {**NEWER, "compat32": policy.compat32}


def written(policy_: Any) -> EmailMessage:
    """A mail with a long subject of its own, which may be folded as ever."""
    message = EmailMessage(policy=policy_)
    message["From"] = "shop@acme.example"
    message["To"] = "jo@example.com"
    message["Subject"] = "Our news of this week, and of the week before, and of the one before that"
    message.set_payload("Hello\r\n")
    return message


def lines(data: bytes) -> list[bytes]:
    return [line for line in data.splitlines() if line.lower().startswith(b"list-unsub")]


@pytest.fixture(scope="module")
def box() -> Iterator[Letterbox]:
    with letterbox() as made:
        yield made


@pytest.mark.parametrize("name", POLICIES)
def test_each_field_is_one_line_under_every_policy(name: str) -> None:
    message = written(POLICIES[name])
    add_headers(message, URL, BOX)
    assert lines(message.as_bytes()) == [LINE, POST]
    assert lines(message.as_string().encode()) == [LINE, POST]


@pytest.mark.parametrize("name", NEWER)
def test_the_plain_texts_stay_on_one_line_in_a_message_of_the_newer_kind(name: str) -> None:
    message = written(NEWER[name])
    for field, value in headers(URL, BOX).items():
        message[field] = value
    assert lines(message.as_bytes()) == [LINE, POST]


def test_what_the_service_gives_with_a_link_stays_on_one_line_too(
    by: Callable[..., Client], someone: str
) -> None:
    made = by("sender").link(someone)
    message = written(policy.SMTP)
    for field, value in made.headers.items():
        message[field] = value
    assert lines(message.as_bytes()) == [f"List-Unsubscribe: <{made.url}>".encode(), POST]


@pytest.mark.parametrize("name", NEWER)
def test_a_message_of_the_older_kind_may_be_written_by_a_newer_policy(name: str) -> None:
    message = written(policy.compat32)
    add_headers(message, URL, BOX)
    assert lines(message.as_bytes(policy=NEWER[name])) == [LINE, POST]


@pytest.mark.parametrize("name", POLICIES)
def test_so_they_go_over_the_wire(box: Letterbox, name: str) -> None:
    message = written(POLICIES[name])
    add_headers(message, URL, BOX)
    with smtplib.SMTP("127.0.0.1", box.port, "localhost") as server:
        server.send_message(message)
    assert box.lines("List-Unsubscribe") == [LINE]
    assert box.lines("List-Unsubscribe-Post") == [POST]


def test_so_they_go_to_an_address_that_needs_smtputf8(box: Letterbox) -> None:
    message = written(policy.SMTPUTF8)
    del message["To"]
    message["To"] = "jö@example.com"
    add_headers(message, URL, BOX)
    with smtplib.SMTP("127.0.0.1", box.port, "localhost") as server:
        server.send_message(message)
    assert box.lines("List-Unsubscribe") == [LINE]


@pytest.mark.parametrize("make", [lambda: MIMEText("x"), MIMEMultipart], ids=["text", "multipart"])
def test_older_messages_get_them_too(make: Callable[[], "Message[Any, Any]"]) -> None:
    message = make()
    add_headers(message, URL, BOX)
    assert lines(message.as_bytes()) == [LINE, POST]


@pytest.mark.parametrize("name", ["default", "compat32"])
@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda message: pickle.loads(pickle.dumps(message))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_of_the_message_keeps_them_whole(name: str, copied: Callable[[Any], Any]) -> None:
    message = written(POLICIES[name])
    add_headers(message, URL, BOX)
    assert lines(copied(message).as_bytes()) == [LINE, POST]


@pytest.mark.parametrize("name", ["default", "compat32"])
def test_neither_field_ever_stands_there_twice(name: str) -> None:
    message = written(POLICIES[name])
    message["list-unsubscribe"] = "<mailto:old@example.com>"
    add_headers(message, f"{URL}x")
    add_headers(message, URL, BOX)
    assert lines(message.as_bytes()) == [LINE, POST]


def test_a_link_that_is_refused_leaves_the_message_as_it_was() -> None:
    message = written(policy.default)
    add_headers(message, URL, BOX)
    with pytest.raises(Refused):
        add_headers(message, "http://optout.example.com/u/x")
    assert lines(message.as_bytes()) == [LINE, POST]


def test_what_was_written_reads_back_as_it_was_given() -> None:
    message = written(policy.SMTP)
    add_headers(message, URL, BOX)
    assert message["List-Unsubscribe"] == headers(URL, BOX)["List-Unsubscribe"]
    read = message_from_bytes(message.as_bytes(), policy=policy.default)
    assert read["list-unsubscribe"] == headers(URL, BOX)["List-Unsubscribe"]
