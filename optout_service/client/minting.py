"""Links without a call to the service: the very bytes that it would make."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from optout_service.client.errors import refusals
from optout_service.core.address import Address
from optout_service.core.errors import UnknownTopic
from optout_service.core.link_key import LinkKey
from optout_service.core.scope import ANY, Kind, Scope, kind_of
from optout_service.core.token import TenantLinks, require_short


class LinkMinter:
    """Mints unsubscribe links with a tenant's link key.

    >>> minter = LinkMinter(client.link_key())
    >>> url = minter.mint("jo@example.com", topic="newsletter", message="c42")
    >>> url == client.link("jo@example.com", topic="newsletter", message="c42").url
    True
    """

    def __init__(self, link_key: Mapping[str, Any] | str | bytes) -> None:
        """``link_key``: what ``GET /v1/link-key`` or ``optout link-key`` gave, also as text.

        Raises Refused for anything else.
        """
        with refusals():
            self._key = LinkKey.read(_document(link_key))
        self._links = TenantLinks(self._key.tenant, self._key.keys)
        self._before = f"{self._key.base_url.rstrip('/')}/u/"

    def __repr__(self) -> str:
        return f"LinkMinter({self._key.slug}, ***)"

    def mint(
        self,
        address: str,
        channel: str = "email",
        topic: str | None = None,
        *,
        message: str = "",
        language: str = "",
    ) -> str:
        """The URL for one message. Raises Refused as ``Client.link`` does."""
        return next(self.mint_many([address], channel, topic, message=message, language=language))

    def mint_many(
        self,
        addresses: Iterable[str],
        channel: str = "email",
        topic: str | None = None,
        *,
        message: str = "",
        language: str = "",
    ) -> Iterator[str]:
        """The URLs for many recipients of one message, in order, as they are asked for.

        >>> urls = minter.mint_many(["jo@example.com", "mo@example.com"], topic="newsletter")
        >>> len(list(urls))
        2

        Raises Refused at the address at fault, which it does not repeat.
        """
        with refusals():
            kind, topic = self._about(channel, topic)
            require_short(message, language)
            mint, parse = self._links.mint_checked, Address.parse
            for address in addresses:
                value = parse(kind, address).value
                yield self._before + mint(channel, value, topic, message, language)

    def _about(self, channel: str, topic: str | None) -> tuple[Kind, str]:
        kind, scope = kind_of(channel), Scope.parse(channel, topic)
        if scope.topic != ANY and scope.topic not in self._key.topics:
            raise UnknownTopic(
                "This link key knows no such topic. If the topic is new, fetch the key again."
            )
        return kind, scope.topic


def _document(link_key: Mapping[str, Any] | str | bytes) -> Mapping[str, Any]:
    if isinstance(link_key, Mapping):
        return link_key
    try:
        read = json.loads(link_key)
    except ValueError:
        return {}
    return read if isinstance(read, Mapping) else {}
