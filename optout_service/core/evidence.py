"""What every door hands to the hall: one act of a recipient, or on a recipient's behalf.

A door parses its caller's dialect into one ``Evidence`` and calls ``store.ledger.record``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from optout_service.core.address import Address
from optout_service.core.scope import Scope


class Action(StrEnum):
    """What was done."""

    OPT_OUT = "opt_out"
    OPT_IN = "opt_in"


class Reason(StrEnum):
    """Why an address is suppressed."""

    OPTED_OUT = "opted_out"
    COMPLAINT = "complaint"
    BOUNCED = "bounced"
    BLOCKED = "blocked"
    REASSIGNED = "reassigned"
    LEGAL = "legal"


class Source(StrEnum):
    """The door through which it came."""

    ONE_CLICK = "one_click"
    PAGE = "page"
    MAIL = "mail"
    TEXT = "text"
    CALL = "call"
    PROVIDER = "provider"
    API = "api"
    IMPORT = "import"
    OPERATOR = "operator"


class Authority(StrEnum):
    """On whose word an act rests. The ladder in ``policy`` is written in these."""

    RECIPIENT_PAGE = "recipient_page"
    RECIPIENT_PHONE = "recipient_phone"
    PROVIDER = "provider"
    AGENT = "agent"
    INTEGRATION = "integration"
    ADMIN = "admin"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A provider's own id of what it sent us. Counted once, for ever: the guard against replays."""

    provider: str
    account: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One act, as it will stand in the ledger.

    ``tenant`` is the number of the tenant (0 is the platform). ``actor`` names who acted without
    naming a recipient (``recipient``, ``key:<id>``, ``operator:cli``). ``occurred_at`` is when it
    happened if that is known to differ from now; aware, UTC. ``private`` is what can be erased:
    raw text, IP, user agent, statement, reference. It is encrypted, and committed to by the chain.

    ``undoes``: of an opt-in, the number of the opt-out of the same address that it takes back.
    Then it lifts what that event put, and nothing else; nothing at all if another opt-out came
    after it. ``scope`` is then that of the event.

    ``gives_back``: of an opt-in by text, the scopes that it may lift, none beyond ``scope``; None:
    ``scope`` itself.
    """

    tenant: int
    action: Action
    address: Address
    scope: Scope
    source: Source
    authority: Authority
    actor: str
    reason: Reason = Reason.OPTED_OUT
    occurred_at: datetime | None = None
    provider_message: ProviderMessage | None = None
    private: Mapping[str, str] = field(default_factory=dict)
    undoes: int | None = None
    gives_back: frozenset[Scope] | None = None
