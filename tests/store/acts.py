"""Acts for the tests of the memory, with everything ordinary unless said otherwise."""

from datetime import UTC, datetime
from typing import Any

from optout_service.core.address import Address
from optout_service.core.evidence import (
    Action,
    Authority,
    Evidence,
    ProviderMessage,
    Reason,
    Source,
)
from optout_service.core.review import Why
from optout_service.core.scope import Kind, Scope
from optout_service.store.reviews import Doubt
from tests.cast import ANA

MARKETING = Scope("email", "*", "marketing")
NEWSLETTER = Scope("email", "newsletter", "marketing")
MAIL = Address.parse(Kind.EMAIL, ANA.email)
PHONE = Address.parse(Kind.PHONE, ANA.phone)
SAID = {"text": "no more pizza please", "to": "+15005550006"}
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def act(tenant: int, action: Action = Action.OPT_OUT, **changes: Any) -> Evidence:
    """An opt-out of Ana's from the newsletter by the page; ``changes`` replace any part of it."""
    given: dict[str, Any] = {
        "tenant": tenant,
        "action": action,
        "address": MAIL,
        "scope": NEWSLETTER,
        "source": Source.PAGE,
        "authority": Authority.RECIPIENT_PAGE,
        "actor": "recipient",
        "reason": Reason.OPTED_OUT,
        "private": {"user_agent": "Mail/1.0"},
    }
    return Evidence(**(given | changes))


def message(number: int) -> ProviderMessage:
    """The provider's id of its message of this number."""
    return ProviderMessage("twilio", "AC1", f"SM{number:032d}")


def doubt(tenant: int, **changes: Any) -> Doubt:
    """Ana's doubtful text; ``changes`` replace any part of it."""
    given: dict[str, Any] = {
        "tenant": tenant,
        "address": PHONE,
        "channel": "sms",
        "source": Source.TEXT,
        "why": Why.DOUBTFUL,
        "rule": "review:en:no",
        "private": SAID,
    }
    return Doubt(**(given | changes))
