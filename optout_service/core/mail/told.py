"""What a message that came in tells us. Everything behind the reader knows these alone."""

from dataclasses import dataclass

from optout_service.core.token import Claim


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the mail server knows beside the message (RFC 5321, 2.3.1).

    ``sender``: the return path, "" for the null one, None where it was not told. ``recipients``:
    for whom it came; none where that was not told.
    """

    sender: str | None = None
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks to stop, and holds a link of ours.

    ``found_in``: where its token stood: ``address``, ``subject`` or ``body``.
    """

    claim: Claim
    found_in: str


@dataclass(frozen=True, slots=True)
class Complaint:
    """A mailbox provider passes on that somebody called a message of ours spam (RFC 5965).

    ``claim``: of the link in the message that is complained of; None where none is left in it.
    ``recipient``: who complained, as the report says; often blacked out, and never proven.
    """

    claim: Claim | None
    recipient: str
    feedback_type: str
    reporter: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """A message of ours could not be delivered, and never will be (RFC 3464).

    ``claim``: of the link in the message that came back. ``status``: RFC 3463's, such as 5.1.1.
    """

    claim: Claim
    status: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Words:
    """Somebody writes, without any link of ours.

    ``person``: the one address of From, or "" where there is none or several. ``proven_by``: what
    our own mail server proved of its domain: ``dmarc``, ``dkim``, ``spf``, or "" for nothing.
    """

    person: str
    proven_by: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to store. ``why``: in a word or two, for the log; it names nobody."""

    why: str


Told = Request | Complaint | Bounce | Words | Nothing


@dataclass(frozen=True, slots=True)
class Mail:
    """A message, read.

    ``key``: the same on every delivery of it, and of no other message. ``author`` (what stands in
    From), ``subject`` and ``text``: decoded, shortened. ``recipients``: whom it came to, as far as
    that is known.
    """

    key: str
    author: str
    subject: str
    text: str
    recipients: tuple[str, ...]
    told: Told
