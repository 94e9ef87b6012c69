"""What a mailbox provider would object to in the header of a mail, as far as leaving it goes.

Every rule has its source. What cannot be told by looking, whether the DKIM signature holds and what
the link answers, is left to whoever can ask.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from optout_service.core.errors import Malformed
from optout_service.core.headers import (
    LIST_UNSUBSCRIBE,
    LIST_UNSUBSCRIBE_POST,
    MAX_LINE,
    ONE_CLICK,
)


class Level(StrEnum):
    """How much it matters."""

    FAULT = "fault"
    ADVICE = "advice"
    UNCHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection: ``rule`` is the stable word for it, ``source`` where the rule stands."""

    level: Level
    rule: str
    source: str
    detail: str


@dataclass(frozen=True, slots=True)
class Mail:
    """The header of a mail: its fields in order, each a lower-case name and the bytes of its body.

    A body begins behind the colon, and keeps the line ends of its folds.
    """

    fields: tuple[tuple[str, bytes], ...]

    def bodies(self, name: str) -> list[bytes]:
        """The bodies of all fields of this name."""
        return [body for field, body in self.fields if field == name.lower()]

    @property
    def link(self) -> str | None:
        """The URL that a one click would be posted to; in want of an https one, an http one."""
        urls = [url for body in self.bodies(LIST_UNSUBSCRIBE)[:1] for url in _read(body).urls]
        return next(
            (url for scheme in ("https", "http") for url in urls if _scheme(url) == scheme), None
        )


_FAULTS: Final = {
    "missing": ("RFC 8058, 3.1", f"There is no {LIST_UNSUBSCRIBE} field."),
    "missing-post": (
        "RFC 8058, 3.1",
        f"There is no {LIST_UNSUBSCRIBE_POST} field, so no client takes one click.",
    ),
    "twice": ("RFC 2369, 3", "One of the two fields stands there more than once."),
    "not-ascii": ("RFC 5322, 2.2", "One of the two fields has bytes that are not ASCII."),
    "too-long": ("RFC 5322, 2.1.1", f"A line of one of the two fields is over {MAX_LINE} octets."),
    "encoded": (
        "RFC 2047, 5",
        "A field is written in encoded words (=?...?=). No client looks for a URL in them: build "
        "the mail with optout_service.client.headers, or a policy of a longer line.",
    ),
    "no-brackets": ("RFC 2369, 2", "A URL does not stand in < and >."),
    "space-in-brackets": (
        "RFC 2369, 2",
        "There is white space within < and >. A fold there is white space too.",
    ),
    "text-beside": ("RFC 2369, 2", "There is something between the URLs that is no comma."),
    "bad-mailto": ("RFC 6068, 2", "A mailto names no mailbox."),
    "no-https": ("RFC 8058, 3.1", "There is no https URL, so no client takes one click."),
    "several-https": ("RFC 8058, 3.1", "There is more than one https URL."),
    "http": ("RFC 8058, 3.1", "There is a URL in plain http."),
    "mailto-first": (
        "RFC 2369, 2",
        "Another URL stands before the https one. Clients take the left-most that they can use.",
    ),
    "post-without-https": (
        "RFC 8058, 3.1",
        f"There is a {LIST_UNSUBSCRIBE_POST} field, and no https URL to post to.",
    ),
    "post-value": (
        "RFC 8058, 3.1",
        f"{LIST_UNSUBSCRIBE_POST} is not exactly {ONE_CLICK}.",
    ),
    "not-signed": (
        "RFC 8058, 4",
        "There is no DKIM-Signature. Of a mail that is still to be signed, say so.",
    ),
    "not-covered": (
        "RFC 8058, 4",
        "No DKIM-Signature names both fields in its h=. Add them to what your signer signs.",
    ),
    "not-ours": ("RFC 8058, 6", "The link's token is not one that these keys have signed."),
    "redirects": ("RFC 8058, 3.1", "The link answers with a redirect."),
    "refused": ("RFC 8058, 3.2", "The link answers with an error."),
}
_ADVICE: Final = {
    "folded": (
        "RFC 5322, 2.2.3",
        "A field goes over several lines. That is allowed between URLs, and some clients lose it.",
    ),
    "no-list-id": ("RFC 2919, 2", "There is no List-Id. Gmail asks for one for each list."),
}
_UNCHECKED: Final = {
    "not-asked": ("RFC 8058, 3.1", "Whether the link redirects: it was not asked."),
    "no-answer": ("RFC 8058, 3.1", "Whether the link redirects: it could not be reached."),
    "signature": ("RFC 8058, 4", "Whether the DKIM signature holds."),
}
FINDINGS: Final = {
    rule: Finding(level, rule, source, detail)
    for level, rules in (
        (Level.FAULT, _FAULTS),
        (Level.ADVICE, _ADVICE),
        (Level.UNCHECKED, _UNCHECKED),
    )
    for rule, (source, detail) in rules.items()
}
"""Every objection there is, by its rule."""

_END: Final = re.compile(rb"\r?\n\r?\n|\A\r?\n")
_FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:(.*(?:\r?\n[ \t].*)*)\r?(?:\n|\Z)")
_MBOX: Final = re.compile(rb">?From .*\n")
_ENCODED_WORD: Final = re.compile(rb"=\?[^?\s]+\?[bq]\?", re.IGNORECASE)
_FOLD: Final = re.compile(rb"\r?\n")
_SPACE: Final = re.compile(r"\s+")


def header_end(start: bytes) -> int | None:
    """Where the header ends in the beginning of a mail; None: not in this much of it."""
    found = _END.search(start)
    return None if found is None else found.end()


def parse(header: bytes) -> Mail:
    """Take a header apart, from the first line on. Raises Malformed for what is none."""
    fields: list[tuple[str, bytes]] = []
    mbox = _MBOX.match(header)
    at = mbox.end() if mbox else 0
    while found := _FIELD.match(header, at):
        fields.append((found[1].decode().lower(), found[2].removesuffix(b"\r")))
        at = found.end()
    if not fields or header[at:].strip():
        raise Malformed(
            "This is no mail: each line of a header begins with a name and a colon, or goes on "
            "with white space (RFC 5322, 2.2)."
        )
    return Mail(tuple(fields))


def findings(mail: Mail, *, signed: bool = True) -> list[Finding]:
    """All objections. ``signed`` False: the mail is still to be signed."""
    return [FINDINGS[rule] for rule in dict.fromkeys(_rules(mail, signed=signed))]


def of_answer(status: int) -> list[Finding]:
    """The objections to what a link answers, by its HTTP status."""
    if status < 300:
        return []
    return [FINDINGS["redirects" if status < 400 else "refused"]]


def _rules(mail: Mail, *, signed: bool) -> Iterator[str]:
    links, posts = mail.bodies(LIST_UNSUBSCRIBE), mail.bodies(LIST_UNSUBSCRIBE_POST)
    if not links:
        yield "missing"
    if posts and not links:
        yield "post-without-https"
    if not posts:
        yield "missing-post"
    if len(links) > 1 or len(posts) > 1:
        yield "twice"
    yield from _of_writing(LIST_UNSUBSCRIBE, links)
    yield from _of_writing(LIST_UNSUBSCRIBE_POST, posts)
    for body in links[:1]:
        # Of encoded words nothing else is worth saying.
        if not _ENCODED_WORD.search(body):
            yield from _of_urls(_read(body), posted=bool(posts))
    # As it is to be, white space around it apart: clients compare it as a text.
    if posts and _unfolded(posts[0]) != ONE_CLICK:
        yield "post-value"
    if signed:
        yield from _of_signatures(mail.bodies("DKIM-Signature"))
    if not mail.bodies("List-Id"):
        yield "no-list-id"


def _of_writing(name: str, bodies: Sequence[bytes]) -> Iterator[str]:
    for body in bodies:
        lines = _FOLD.split(body)
        if not body.isascii():
            yield "not-ascii"
        if len(f"{name}:") + len(lines[0]) > MAX_LINE or any(len(x) > MAX_LINE for x in lines):
            yield "too-long"
        if _ENCODED_WORD.search(body):
            yield "encoded"
        if len(lines) > 1:
            yield "folded"


def _of_urls(read: "_Read", *, posted: bool) -> Iterator[str]:
    yield from read.faults
    schemes = [_scheme(url) for url in read.urls]
    if "https" not in schemes:
        yield "post-without-https" if posted else "no-https"
    elif schemes[0] != "https":
        yield "mailto-first"
    if schemes.count("https") > 1:
        yield "several-https"
    if "http" in schemes:
        yield "http"
    if any(_scheme(url) == "mailto" and "@" not in url.partition("?")[0] for url in read.urls):
        yield "bad-mailto"


def _of_signatures(signatures: Sequence[bytes]) -> Iterator[str]:
    wanted = {LIST_UNSUBSCRIBE.lower(), LIST_UNSUBSCRIBE_POST.lower()}
    if not signatures:
        yield "not-signed"
    elif not any(wanted <= _signed_names(signature) for signature in signatures):
        yield "not-covered"
    else:
        yield "signature"


def _signed_names(signature: bytes) -> set[str]:
    """The names in the h= of a signature (RFC 6376, 3.5), in lower case."""
    tags = _SPACE.sub("", signature.decode("latin-1")).lower().split(";")
    return next((set(tag[2:].split(":")) for tag in tags if tag.startswith("h=")), set())


@dataclass(frozen=True, slots=True)
class _Read:
    """The URLs of a field, and what is wrong with how they stand there."""

    urls: tuple[str, ...]
    faults: tuple[str, ...]


def _read(body: bytes) -> _Read:
    urls: list[str] = []
    faults: list[str] = []
    rest = _unfolded(body)
    while rest:
        inner, closed, behind = rest.removeprefix("<").partition(">")
        if not rest.startswith("<") or not closed:
            faults.append("no-brackets")
            break
        url = _SPACE.sub("", inner)
        if url != inner:
            faults.append("space-in-brackets")
        urls.append(url)
        beside, _, rest = behind.partition(",")
        if beside.strip():
            faults.append("text-beside")
        rest = rest.lstrip()
    return _Read(tuple(urls), tuple(faults))


def _unfolded(body: bytes) -> str:
    return _FOLD.sub(b"", body).decode("latin-1").strip()


def _scheme(url: str) -> str:
    return url.partition(":")[0].lower()
