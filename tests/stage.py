"""The stage the tests play on: a runtime over a fresh database, with two tenants and their keys."""

from dataclasses import dataclass

from optout_service.core.keyring import KeyRing
from optout_service.knobs import Secret
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import keys as api_keys
from optout_service.store import senders, tenants
from optout_service.store.keys import Role
from optout_service.store.senders import Sender, SenderKind

KEYS = KeyRing(pepper=b"p" * 31 + b"1", encryption=(b"e" * 31 + b"1",), signing=(b"s" * 31 + b"1",))
PUBLIC_URL = "https://optout.example.com"
ACCOUNT = "AC00000000000000000000000000000001"
TOKEN = "12345"  # the auth token of the published signature examples
LONG_CODE = "+15005550006"
SHORT_CODE = "54321"
TOPICS = ("events", "newsletter", "offers")


def settings_for(database_url: str, **knobs: object) -> Settings:
    """Settings for a test database; any knob can be given."""
    given: dict[str, object] = {
        "database_url": Secret(database_url),
        "public_url": PUBLIC_URL,
        "contact": "postmaster@optout.example.com",
        "threads": 8,
    }
    return Settings(**(given | knobs))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Cast:
    """Who is on stage: numbers of the tenants, secrets of the keys by role."""

    acme: int
    bolt: int
    keys: dict[str, str]


def set_up(rt: Runtime) -> Cast:
    """Acme with three topics, a Twilio account and two senders; Bolt with one topic."""
    with rt.writing() as connection:
        acme = tenants.create(
            connection,
            "acme",
            name="Acme Shop",
            contact="help@acme.example",
            at=rt.now(),
        )
        bolt = tenants.create(
            connection, "bolt", name="Bolt", contact="hello@bolt.example", at=rt.now()
        )
        for slug in TOPICS:
            tenants.create_topic(connection, acme.id, slug)
        tenants.create_topic(connection, bolt.id, "news")
        senders.put_account(connection, acme.id, "twilio", ACCOUNT, TOKEN, keys=rt.keys)
        for address, kind in (
            (LONG_CODE, SenderKind.LONG_CODE),
            (SHORT_CODE, SenderKind.SHORT_CODE),
        ):
            senders.create(
                connection,
                Sender(acme.id, "twilio", ACCOUNT, address, kind, "*", False),
            )
        secrets = {}
        for name, tenant, role in (
            *((role.value, acme.id, role) for role in Role if role is not Role.PLATFORM),
            ("bolt-sender", bolt.id, Role.SENDER),
            ("bolt-admin", bolt.id, Role.ADMIN),
            ("platform", 0, Role.PLATFORM),
        ):
            _, secrets[name] = api_keys.create(
                connection, tenant, role, name=name, at=rt.now(), keys=rt.keys
            )
    return Cast(acme.id, bolt.id, secrets)
