"""The two header fields by which a mail client shows its button (RFC 2369, RFC 8058)."""

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlsplit

from optout_service.core.address import Address
from optout_service.core.errors import InvalidRequest
from optout_service.core.scope import Kind

LIST_UNSUBSCRIBE: Final = "List-Unsubscribe"
LIST_UNSUBSCRIBE_POST: Final = "List-Unsubscribe-Post"

ONE_CLICK: Final = "List-Unsubscribe=One-Click"
"""The whole value of the second field (RFC 8058, 3.1)."""

MAX_LINE: Final = 998
"""Octets of a line without its CRLF (RFC 5322, 2.1.1)."""

# What RFC 3986 lets stand in a URL, without the comma: it stands between the URLs of the field.
_URL: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+;=%]+")
# What may stand as it is in the address of a mailto (RFC 6068, 2), without the comma too.
_BARE: Final = "@!$'*+"


def headers(url: str, mailto: str | None = None) -> dict[str, str]:
    """The values of both fields, by their names, for the link of one message.

    ``mailto``: the mailbox that reads opt-outs sent by mail; it gets the link's token as subject.
    It stands behind the link, since clients take the left-most URL that they can use (RFC 2369,
    2), and is left out where both would not fit into a line. Raises InvalidRequest for a link that
    is not https (http may be on this machine alone, for a try), holds white space, a comma or
    whatever else is no URL, or is too long for a line; InvalidAddress for no mailbox.
    """
    _require_link(url)
    value = f"<{url}>"
    if mailto:
        token = urlsplit(url).path.rpartition("/")[2]
        both = f"{value}, <{mailto_url(mailto, token)}>"
        value = both if _fits(both) else value
    if not _fits(value):
        raise InvalidRequest(
            f"The link is too long for a line of a mail's header, which has {MAX_LINE} octets. "
            "Give the message a shorter id.",
            field="message",
        )
    return {LIST_UNSUBSCRIBE: value, LIST_UNSUBSCRIBE_POST: ONE_CLICK}


def mailto_url(mailbox: str, subject: str) -> str:
    """A mail to this mailbox, as a URL (RFC 6068, 2 and 5). Raises InvalidAddress.

    The subject rather than a part of the address: a local part has 64 octets at most (RFC 5321,
    4.5.3.1.1), and a token is longer.
    """
    address = Address.parse(Kind.EMAIL, mailbox).value
    if address is None:
        raise InvalidRequest("Give the mailbox itself, not its hash.", field="mailto")
    return f"mailto:{quote(address, safe=_BARE)}?subject={quote(subject, safe='')}"


def is_this_machine(host: str) -> bool:
    """Whether a host is loopback, where http hurts nobody."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_link(url: str) -> None:
    if not _URL.fullmatch(url):
        raise InvalidRequest(
            "The link holds what a URL cannot hold in this field: white space, a comma or other "
            "signs. Write them percent-encoded, a comma as %2C.",
            field="url",
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise InvalidRequest("The link is no URL.", field="url") from None
    https = parts.scheme == "https" or (parts.scheme == "http" and is_this_machine(host))
    if not (https and host):
        raise InvalidRequest(
            "The link is not https, and no mail client would post to it (RFC 8058, 3.1).",
            field="url",
        )


def _fits(value: str) -> bool:
    return len(f"{LIST_UNSUBSCRIBE}: {value}") <= MAX_LINE
