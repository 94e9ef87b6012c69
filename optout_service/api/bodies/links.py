"""Minting links."""

from typing import Final

from msgspec import Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import AddressText, ChannelName, TopicName
from optout_service.core.scope import ANY, Channel


class LinkRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An unsubscribe link for one message to one recipient."""

    address: AddressText
    channel: ChannelName = Channel.EMAIL
    topic: TopicName = ANY
    message: str = ""
    language: str = ""


class LinkBatchRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many links at once: all of them, or none."""

    links: list[LinkRequest]


class LinkAnswer(Struct, frozen=True):
    """A link, and the headers of RFC 8058 to put into the message."""

    url: str
    headers: dict[str, str]


class LinkBatchAnswer(Struct, frozen=True):
    """Links in the order in which they were asked for."""

    links: list[LinkAnswer]


class LinkKeyAnswer(Struct, frozen=True):
    """What mints this tenant's links elsewhere. ``keys`` are secrets, newest last.

    ``topics``: those that a link may name.
    """

    version: int
    tenant: int
    slug: str
    base_url: str
    topics: list[str]
    keys: list[str]


LINK: Final = Decoder(LinkRequest)
LINK_BATCH: Final = Decoder(LinkBatchRequest)
