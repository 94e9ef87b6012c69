"""The tests play Twilio: recorded bodies, changed where a test says so, signed as Twilio signs."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.providers import messaging, twilio
from optout_service.providers.inbound import Inbound
from optout_service.runtime import Runtime
from optout_service.store import senders
from optout_service.store.senders import Sender, SenderKind
from optout_service.store.tables import event
from tests import payloads, stage
from tests.cast import ANA

SILENCE = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
PHONE = Address.parse(Kind.PHONE, ANA.phone)
SMS = Scope("sms", "*", "marketing")
Post = Callable[..., TestResponse]


def fields(name: str, **changes: str) -> dict[str, str]:
    """A recorded body's fields. A ``MessageSid`` is changed wherever it stands."""
    recorded = parse_qsl(payloads.load(f"twilio/{name}").decode(), keep_blank_values=True)
    if sid := changes.get("MessageSid"):
        changes |= {key: sid for key in ("SmsSid", "SmsMessageSid") if key in dict(recorded)}
    return dict(recorded) | changes


def send(
    client: FlaskClient,
    form: Mapping[str, str],
    *,
    hook: str = "messages",
    token: str = stage.TOKEN,
    query: str = "",
) -> TestResponse:
    """Post a form to one of Twilio's hooks, signed with ``token`` over the public URL."""
    target = f"/hooks/twilio/{hook}{query}"
    signature = twilio.sign(token, f"{stage.PUBLIC_URL}{target}", form)
    return client.post(
        target,
        data=form,
        headers={"X-Twilio-Signature": signature},
        environ_overrides={"RAW_URI": target},
    )


def register(rt: Runtime, tenant: int, address: str, kind: SenderKind, **more: Any) -> Sender:
    """Make a sender of the stage's account."""
    given: dict[str, Any] = {"topic": "*", "advanced_opt_out": False} | more
    with rt.writing() as connection:
        made = Sender(tenant, "twilio", stage.ACCOUNT, address, kind, **given)
        return senders.create(connection, made)


def share_account(rt: Runtime, tenant: int) -> None:
    """Give the stage's account to another tenant too."""
    with rt.writing() as connection:
        senders.put_account(connection, tenant, "twilio", stage.ACCOUNT, stage.TOKEN, keys=rt.keys)


def events(rt: Runtime) -> int:
    """How many events there are, in all ledgers."""
    with rt.reading() as connection:
        return connection.execute(select(func.count()).select_from(event)).scalar_one()


def suppressed(
    rt: Runtime,
    tenant: int,
    channel: str = "sms",
    topic: str = "*",
    purpose: str = "marketing",
    *,
    phone: Address = PHONE,
) -> bool:
    """What a sender is told."""
    return rt.check(tenant, phone, Scope(channel, topic, purpose)).suppressed


class Person:
    """Somebody who texts, past the signature: ``tenants`` are those for whom it would hold."""

    def __init__(self, rt: Runtime, *tenants: int) -> None:
        self.rt = rt
        self._tenants = tenants
        self._count = 0

    def says(self, text: str, to: str = stage.LONG_CODE, **more: Any) -> str | None:
        """Text a sender; gives what comes back."""
        self._count += 1
        given: dict[str, Any] = {
            "provider": "twilio",
            "account": stage.ACCOUNT,
            "message_id": f"SM{self._count:032d}",
            "channel": "sms",
            "person": ANA.phone,
            "to": to,
            "service": "",
            "text": text,
        }
        return messaging.receive(self.rt, Inbound(**(given | more)), self._tenants)
