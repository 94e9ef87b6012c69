"""What our own mail server found out about a sender: Authentication-Results (RFC 8601).

Anybody can write such a header. Believed is the topmost one alone, and only where it names our own
server, which takes away what others wrote in its name (RFC 8601, 5).
"""

import re
from collections.abc import Iterator
from email.message import Message
from typing import Final

from optout_service.core.mail.message import headers

_SAYS: Final = {
    "dmarc": "header.from",
    "dkim": "header.d",
    "spf": "smtp.mailfrom",
}
"""The methods that prove a domain, the surest first, and the property that names it."""

_DOMAIN: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+", re.ASCII)


def proven_by(message: Message, domain: str, authserv_id: str) -> str:
    """The method by which the domain of From was proven, or "".

    ``domain``: in its canonical form. ``authserv_id``: our server's name, "" where none was set.
    """
    found = headers(message, "Authentication-Results")
    parts = _parts(found[0]) if found and authserv_id else None
    if not parts or parts[0].split()[:1] != [authserv_id.lower()]:
        return ""
    results = [part.split() for part in parts[1:] if part.strip()]
    if any(words[0] == "dmarc=fail" for words in results):
        return ""
    for method, name in _SAYS.items():
        for words in results:
            if words[0] == f"{method}=pass" and _is_of(domain, _property(words, name)):
                return method
    return ""


def _property(words: list[str], name: str) -> str:
    """The domain that a result names; "" where it names none, or more than one."""
    named = [word.partition("=")[2] for word in words[1:] if word.startswith(f"{name}=")]
    if len(named) != 1:
        return ""
    bare = named[0].rpartition("@")[2].removesuffix(".")
    return bare if _DOMAIN.fullmatch(bare) else ""


def _is_of(domain: str, proven: str) -> bool:
    """Whether what was proven is the domain of From, or one that it lies in.

    RFC 7489, 3.1.1 calls that aligned, and the other way round too: but that takes a list of the
    suffixes under which strangers register.
    """
    return bool(proven) and (domain == proven or domain.endswith(f".{proven}"))


def _parts(value: str) -> list[str] | None:
    """What stands between the semicolons, in lower case; None for what is not written to rule."""
    plain = "".join(_plain(value.lower()))
    return None if "(" in plain or '"' in plain else plain.split(";")


def _plain(value: str) -> Iterator[str]:
    """The characters outside comments and quoted strings (RFC 5322, 3.2.2 and 3.2.4).

    They can hold what the sender chose. One that is not closed leaves its sign.
    """
    depth, quoted = 0, False
    characters = iter(value)
    for character in characters:
        if character == "\\":
            next(characters, "")
        elif character == '"' and not depth:
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif not depth:
            yield character
        if depth < 0:
            break
    if depth or quoted:
        yield "("
