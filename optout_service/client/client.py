"""The service over HTTP, as a sender's code asks it."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from optout_service.client import shapes
from optout_service.client.asking import Asking, given
from optout_service.client.errors import Unavailable
from optout_service.client.headers import on_one_line
from optout_service.client.shapes import Changes, Event, Link, Recipient, Recorded, read

_PAGE: Final = 1000


class Client(Asking):
    """One service, one key. Threads may share it.

    >>> client = Client(BASE, KEY)
    >>> client.check("jo@example.com", topic="newsletter").allowed
    True

    Every method raises ``Refused`` (the service will not), or ``Unavailable`` (there is no answer,
    also after ``retries`` more attempts). Neither means "allowed".
    """

    def opt_out(
        self,
        address: str,
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
        *,
        reason: str | None = None,
        occurred_at: datetime | None = None,
        reference: str | None = None,
        statement: str | None = None,
        idempotency_key: str | None = None,
    ) -> Recorded:
        """Record that a recipient said stop. When it gives an answer, it is on the disk.

        >>> client.opt_out("cy@example.com", topic="newsletter", reference="T-7").changed
        True

        Sent again if an answer gets lost, and written down once. ``idempotency_key``: yours, if it
        shall also count once over a crash of your own.
        """
        act = given(address=address, channel=channel, topic=topic, purpose=purpose)
        act |= given(reason=reason, reference=reference, statement=statement)
        return self._record("/v1/opt-outs", act, occurred_at, idempotency_key)

    def opt_in(
        self,
        address: str,
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
        *,
        reference: str,
        statement: str,
        occurred_at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Recorded:
        """Record that a recipient came back: in whose words, and where they can be looked up.

        >>> stopped = client.opt_out("di@example.com", topic="newsletter")
        >>> words = {"reference": "T-8", "statement": "Please send me the newsletter again."}
        >>> client.opt_in("di@example.com", topic="newsletter", **words).suppression is None
        True

        Raises Refused with the kind ``not-liftable`` (``extra["liftable_by"]`` says who may) or
        ``lift-cap``.
        """
        act = given(address=address, channel=channel, topic=topic, purpose=purpose)
        act |= {"reference": reference, "statement": statement}
        return self._record("/v1/opt-ins", act, occurred_at, idempotency_key)

    def events(self, after: int = 0, *, wait: int = 0) -> Iterator[Event]:
        """The ledger after an event, in order and without a gap.

        >>> stopped = client.opt_out("ed@example.com", topic="newsletter")
        >>> for event in client.events(after=stopped.event - 1):
        ...     print(event.action, event.scope.topic)
        opt_out newsletter

        Keep ``event.event`` together with what you made of it, and go on from there. With ``wait``
        (up to 30 seconds a time) it never ends, and gives events as they happen.
        """
        while True:
            query = {"after": after, "limit": _PAGE, "wait": wait or None}
            answer = self._line.ask("GET", "/v1/events", query=query, wait=wait)
            page = read(shapes.EVENTS, answer)
            for event in page.events:
                if event.event != after + 1:
                    raise Unavailable("An event is missing from the feed. Read on from the last.")
                after = event.event
                yield event
            if len(page.events) < _PAGE and not wait:
                return

    def changes(self, cursor: str | None = None, *, limit: int = _PAGE) -> Changes:
        """Who was touched since a cursor, and what stands for them now. ``Replica`` reads it."""
        query = {"cursor": cursor, "limit": limit}
        return read(shapes.CHANGES, self._line.ask("GET", "/v1/suppressions/changes", query=query))

    def lookup(self, address: str, channel: str = "email") -> Recipient:
        """What stands for one recipient, and all that happened. For the roles that may."""
        asked = given(address=address, channel=channel)
        part = read(shapes.LOOKED, self._line.ask("POST", "/v1/recipients/lookup", body=asked))
        events = list(part.events)
        while part.next is not None:
            asked["after"] = part.next
            part = read(shapes.LOOKED, self._line.ask("POST", "/v1/recipients/lookup", body=asked))
            events += part.events
        return Recipient(part.address, part.stands, tuple(events))

    def link(
        self,
        address: str,
        channel: str = "email",
        topic: str | None = None,
        *,
        message: str = "",
        language: str = "",
    ) -> Link:
        """An unsubscribe link for one message. For many of them, see ``LinkMinter``.

        >>> made = client.link("jo@example.com", topic="newsletter", message="c42")
        >>> made.headers["List-Unsubscribe-Post"]
        'List-Unsubscribe=One-Click'

        The values stay on one line in an ``EmailMessage``; for other messages see ``add_headers``.
        """
        asked = given(address=address, channel=channel, topic=topic)
        asked |= {"message": message, "language": language}
        made = read(shapes.LINK, self._line.ask("POST", "/v1/links", body=asked))
        return Link(made.url, on_one_line(made.headers))

    def link_key(self) -> dict[str, Any]:
        """The credential for ``LinkMinter``, by an admin's key. Keep it as you keep a password."""
        return read(shapes.ANYTHING, self._line.ask("GET", "/v1/link-key"))

    def _record(
        self, path: str, act: dict[str, Any], occurred_at: datetime | None, key: str | None
    ) -> Recorded:
        if occurred_at is not None:
            act["occurred_at"] = occurred_at.isoformat()
        headers = {"Idempotency-Key": key or secrets.token_urlsafe(18)}
        return read(shapes.RECORDED, self._line.ask("POST", path, body=act, headers=headers))
