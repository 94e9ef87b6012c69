"""The header fields of RFC 8058 in a mail that Python's ``email`` package writes.

The package folds what is longer than 78 columns, and its newer policies make RFC 2047 words of a
word that does not fit: no mail client looks for a URL in ``=?utf-8?q?=3Chttps...``. So the values
are given to it as something that writes itself, on one line.
"""

from collections.abc import Mapping
from email.header import Header
from email.message import Message
from email.policy import EmailPolicy, Policy
from typing import Any

from optout_service.client.errors import refusals
from optout_service.core import headers as fields


def headers(url: str, mailto: str | None = None) -> dict[str, str]:
    """The values of both fields, by their names, for the link of one message.

    >>> from email.message import EmailMessage
    >>> message = EmailMessage()
    >>> for name, value in headers("https://optout.example.com/u/AQ~x").items():
    ...     message[name] = value

    ``mailto``: the mailbox that reads opt-outs sent by mail, if there is one. The values are plain
    texts, and stay on one line in an ``EmailMessage`` of any of the package's newer policies; for
    other messages see ``add_headers``. Raises Refused for a link that is not https, is no URL or
    too long for a line (998 octets), and for no mailbox.
    """
    with refusals():
        return on_one_line(fields.headers(url, mailto))


def on_one_line(values: Mapping[str, str]) -> dict[str, str]:
    """Values of fields, by their names, as ``headers`` gives them."""
    return {name: _Line.of(name, text) for name, text in values.items()}


def add_headers(message: "Message[Any, Any]", url: str, mailto: str | None = None) -> None:
    """Put both fields into a message, instead of those it has: neither may stand twice.

    >>> from email.message import EmailMessage
    >>> message = EmailMessage()
    >>> add_headers(message, "https://optout.example.com/u/AQ~x", "unsubscribe@example.com")
    >>> print(message["List-Unsubscribe"])
    <https://optout.example.com/u/AQ~x>, <mailto:unsubscribe@example.com?subject=AQ~x>

    The message may be of any policy, ``compat32`` too, and is to be written with its own, as
    ``as_bytes``, ``as_string`` and ``smtplib`` do. Raises as ``headers`` does, and then leaves the
    message as it was.
    """
    for name, value in headers(url, mailto).items():
        del message[name]
        # Not by ``message[name] = value``: subclasses, such as Django's, make a plain text of it.
        newer = isinstance(message.policy, EmailPolicy)
        message.set_raw(name, value if newer else _Whole(name, value))


class _Line(str):
    """A text that the policies of ``email.policy`` write as it is: they ask it for ``fold``."""

    name: str

    @classmethod
    def of(cls, name: str, text: str) -> "_Line":
        line = cls(text)
        line.name = name
        return line

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


class _Whole(Header):
    """The same for ``compat32``: it folds any text, and asks a Header for ``encode``."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name

    def encode(self, *_: Any, **__: Any) -> str:
        return str(self)

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"
