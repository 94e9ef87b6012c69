"""Setting a tenant up: itself, its topics, its senders and its keys.

Texts here are plain: ``core`` and ``store`` read and refuse them, and say what would be right.
"""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from msgspec.json import Decoder

from optout_service.api.bodies.parts import Instant, Limit
from optout_service.core.scope import ANY, CHANNELS_OF, Kind
from optout_service.core.sender import KINDS, PROVIDERS
from optout_service.store.keys import Role

_SLUG: Final = r"^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$"

Slug = Annotated[str, Meta(extra_json_schema={"pattern": _SLUG})]
Name = Annotated[
    str,
    Meta(
        description="What recipients read, in one line.",
        extra_json_schema={"minLength": 1, "maxLength": 200},
    ),
]
Contact = Annotated[
    str,
    Meta(description="Where recipients can ask.", extra_json_schema={"maxLength": 200}),
]
Provider = Annotated[str, Meta(extra_json_schema={"enum": [*PROVIDERS]})]
SenderKind = Annotated[str, Meta(extra_json_schema={"enum": [*KINDS]})]
SenderTopic = Annotated[
    str,
    Meta(description="What a STOP to it stops: one of the tenant's topics; `*` is all."),
]
SenderChannel = Annotated[
    str,
    Meta(
        description="Likewise, its channel alone; `*` is all that reach a phone.",
        extra_json_schema={"enum": [ANY, *CHANNELS_OF[Kind.PHONE]]},
    ),
]
SenderLanguage = Annotated[
    str,
    Meta(
        description="What its recipients read: a tag such as `fr`; empty if nobody has said.",
        extra_json_schema={"pattern": "^([A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3})?$"},
    ),
]
KeyName = Annotated[str, Meta(max_length=200, description="What the key is for.")]


class Page(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of a list to give. ``cursor``: the ``next`` of the page before."""

    cursor: Annotated[str, Meta(max_length=500)] | None = None
    limit: Limit = 100


class TenantShape(Struct, frozen=True):
    """A sending organisation. ``address_book``: whether its recipients' addresses are kept."""

    slug: str
    name: str
    contact: str
    address_book: bool


class TenantRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant to be made. Its slug is for ever."""

    slug: Slug
    name: Name
    contact: Contact = ""
    address_book: bool = True


class TenantChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays."""

    name: Name | None = None
    contact: Contact | None = None
    address_book: bool | None = None


class TenantsAnswer(Struct, frozen=True):
    """A page of tenants, by slug; ``next`` is the cursor of the one after it, null on the last."""

    items: list[TenantShape]
    next: str | None


class TopicShape(Struct, frozen=True):
    """A stream that can be left by itself."""

    slug: str
    name: str


class TopicRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A topic to be made. Its name is made of its slug unless given; its slug is for ever."""

    slug: Slug
    name: Name | None = None


class TopicChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another name for a topic."""

    name: Name


class TopicsAnswer(Struct, frozen=True):
    """A page of topics, by slug; ``next`` is the cursor of the one after it, null on the last."""

    items: list[TopicShape]
    next: str | None


class SenderShape(Struct, frozen=True):
    """One of the tenant's numbers or messaging services.

    ``topic`` and ``channel``: what a STOP to it stops. ``language``: of what it says, unless the
    recipient's own words say another. ``advanced_opt_out``: whether the provider answers STOP.
    """

    provider: str
    account: str
    address: str
    kind: str
    topic: str
    channel: str
    language: str
    advanced_opt_out: bool


class SenderRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender to be registered, with an account that is there."""

    provider: Provider
    account: str
    address: str
    kind: SenderKind
    topic: SenderTopic = ANY
    channel: SenderChannel = ANY
    language: SenderLanguage = ""
    advanced_opt_out: bool = False


class SenderChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; what is left out stays."""

    kind: SenderKind | None = None
    topic: SenderTopic | None = None
    channel: SenderChannel | None = None
    language: SenderLanguage | None = None
    advanced_opt_out: bool | None = None


class SendersAnswer(Struct, frozen=True):
    """A page of senders; ``next`` is the cursor of the one after it, null on the last."""

    items: list[SenderShape]
    next: str | None


class AccountShape(Struct, frozen=True):
    """An account with a provider. ``tokens``: how many of its tokens we take; never which."""

    provider: str
    account: str
    tokens: int


class AccountRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account, or a new token for one that is there.

    ``token``: what proves its hooks. At twilio it is the auth token, at telnyx the public key, at
    aws the password in the URL of the subscription.
    """

    provider: Provider
    account: str
    token: str


class AccountsAnswer(Struct, frozen=True):
    """A page of accounts; ``next`` is the cursor of the one after it, null on the last."""

    items: list[AccountShape]
    next: str | None


class KeyShape(Struct, frozen=True):
    """An API key without its secret. ``last_used_at`` is true to the hour, and comes afterwards."""

    id: int
    role: Role
    name: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class KeyRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to be made. It expires when that is asked for, and where the service limits them."""

    role: Role
    name: KeyName = ""
    expires_at: Instant | None = None


class RotateRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the old secret stays good, and the new one; if left out, as long as the old was."""

    overlap_hours: Annotated[int, Meta(ge=0, le=24 * 90)] = 24
    expires_at: Instant | None = None


class MadeKey(Struct, frozen=True):
    """A key that was made. ``secret`` is shown this one time."""

    key: KeyShape
    secret: str


class RotatedKey(Struct, frozen=True):
    """A key in the place of another. ``secret`` is shown this one time."""

    key: KeyShape
    secret: str
    replaces: KeyShape


class KeysAnswer(Struct, frozen=True):
    """A page of keys, oldest first; ``next`` is the cursor of the next one, null on the last."""

    items: list[KeyShape]
    next: str | None


TENANT: Final = Decoder(TenantRequest)
TENANT_CHANGE: Final = Decoder(TenantChange)
TOPIC: Final = Decoder(TopicRequest)
TOPIC_CHANGE: Final = Decoder(TopicChange)
SENDER: Final = Decoder(SenderRequest)
SENDER_CHANGE: Final = Decoder(SenderChange)
ACCOUNT: Final = Decoder(AccountRequest)
KEY: Final = Decoder(KeyRequest)
ROTATE: Final = Decoder(RotateRequest)
