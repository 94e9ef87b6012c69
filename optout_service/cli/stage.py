"""What the demo shows: a sample tenant, a link to open, a STOP to post, a check to run."""

import fcntl
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import click

from optout_service import keyfiles
from optout_service.core.address import Address
from optout_service.core.errors import Conflict
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.settings import Settings

TENANT: Final = "demo-shop"
TOPICS: Final = {"newsletter": "Newsletter", "offers": "Offers", "events": "Events"}
ADDRESS: Final = "jo@example.com"
PHONE: Final = "+14155552671"
ACCOUNT: Final = "AC00000000000000000000000000000001"
NUMBER: Final = "+15005550006"
_HOOK: Final = "/hooks/twilio/messages"


def set_up(settings: Settings, base_url: str) -> dict[str, Any]:
    """Make what is missing of the sample, and give what is to be told: the contents of demo.json.

    The secrets are remembered in ``demo-secrets.json`` beside it: of API keys the database keeps
    hashes alone.
    """
    from optout_service.runtime import Runtime

    remembered = _remembered(settings.data_dir)
    rt = Runtime.build(settings, keyfiles.load(settings))
    try:
        tenant = _tenant(rt)
        token = remembered.get("auth_token") or secrets.token_hex(16)
        _sender(rt, tenant, token)
        keys = {
            name: _key(rt, tenant, name, secret)
            for name, secret in _roles(remembered.get("keys", {})).items()
        }
        _remember(settings.data_dir, {"auth_token": token, "keys": keys})
        claim = Claim(tenant, "email", Address.parse(Kind.EMAIL, ADDRESS), "newsletter", "demo-1")
        link = f"{base_url}/u/{rt.links.mint(claim)}"
    finally:
        rt.close()
    return {
        "base_url": base_url,
        "tenant": TENANT,
        "topics": list(TOPICS),
        "keys": keys,
        "link": link,
        "address": ADDRESS,
        "twilio": {
            "account": ACCOUNT,
            "auth_token": token,
            "to": NUMBER,
            "public_url": settings.public_url,
        },
    }


def claim(data_dir: Path) -> None:
    """Make the data directory this process's own, for as long as it lives.

    A second demo would take demo.json from under the first, and the first, as it ends, from under
    the second. Raises Conflict.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(data_dir / "demo.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        # A record lock: not inherited by the workers, who can outlive a killed master by seconds.
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise Conflict(
            f"A demo is running on {data_dir} already: {data_dir / 'demo.json'} says where. End "
            "it first, or take another directory with --data-dir."
        ) from None


def forget(data_dir: Path) -> None:
    """Take demo.json away: it is there exactly while the demo answers."""
    (data_dir / "demo.json").unlink(missing_ok=True)


def tell(told: dict[str, Any], data_dir: Path) -> None:
    """Print the demo for people, and write it for programs: whole, and for its owner alone."""
    _write(data_dir / "demo.json", told)
    base, sender_key = told["base_url"], told["keys"]["sender"]
    body, signature = _signed_stop(told["twilio"])
    click.echo(
        f"""
The opt-out service is up at {base}, with the sample tenant {TENANT}.

1. Open the link of a newsletter to {ADDRESS}. Opening changes nothing; its button does.

   {told["link"]}

2. Post what a mail client posts (RFC 8058), by the same link.

   curl -d 'List-Unsubscribe=One-Click' '{told["link"]}'

3. Post a signed STOP from {PHONE}, as Twilio does.

   curl -H 'X-Twilio-Signature: {signature}' -d '{body}' {base}{_HOOK}

4. Ask, as a sender does before each send.

   curl -H 'Authorization: Bearer {sender_key}' -H 'Content-Type: application/json' \\
     -d '{{"channel": "email", "address": "{ADDRESS}", "topic": "newsletter"}}' {base}/v1/check
   curl -H 'Authorization: Bearer {sender_key}' -H 'Content-Type: application/json' \\
     -d '{{"channel": "sms", "address": "{PHONE}"}}' {base}/v1/check

API keys, by role:
"""
        + "".join(f"   {role:<12} {key}\n" for role, key in told["keys"].items())
        + f"""
All of it for programs: {data_dir / "demo.json"}. Ctrl-C ends it; started again, it goes on.
"""
    )


def _signed_stop(twilio_: dict[str, str]) -> tuple[str, str]:
    from optout_service.providers import twilio

    fields = {
        "AccountSid": twilio_["account"],
        "MessageSid": f"SM{secrets.token_hex(16)}",
        "From": PHONE,
        "To": twilio_["to"],
        "Body": "STOP",
    }
    url = f"{twilio_['public_url']}{_HOOK}"
    return urlencode(fields), twilio.sign(twilio_["auth_token"], url, fields)


def _tenant(rt: Any) -> int:
    from optout_service.store import tenants

    with rt.writing() as connection:
        found = tenants.find(connection, TENANT) or tenants.create(
            connection, TENANT, name="Demo Shop", contact="help@demo-shop.example", at=rt.now()
        )
        known = {topic.slug for topic in tenants.topics(connection, found.id)}
        for slug, name in TOPICS.items():
            if slug not in known:
                tenants.create_topic(connection, found.id, slug, name=name)
    return found.id


def _sender(rt: Any, tenant: int, token: str) -> None:
    from optout_service.store import senders
    from optout_service.store.senders import Sender, SenderKind

    with rt.writing() as connection:
        senders.put_account(connection, tenant, "twilio", ACCOUNT, token, keys=rt.keys)
        if not senders.of_account(connection, tenant, "twilio", ACCOUNT):
            made = Sender(tenant, "twilio", ACCOUNT, NUMBER, SenderKind.LONG_CODE, "*", False)
            senders.create(connection, made)


def _roles(remembered: dict[str, str]) -> dict[str, str]:
    from optout_service.store.keys import Role

    return {role.value: remembered.get(role.value, "") for role in Role}


def _key(rt: Any, tenant: int, role: str, secret: str) -> str:
    """The remembered key if it still opens this database, else a new one."""
    from optout_service.store import keys
    from optout_service.store.keys import Role

    with rt.writing() as connection:
        found = keys.find(connection, secret, rt.keys) if secret else None
        if found is not None and found.valid_at(rt.now()):
            return secret
        owner = 0 if role == Role.PLATFORM else tenant
        return keys.create(connection, owner, Role(role), name="demo", at=rt.now(), keys=rt.keys)[1]


def _remembered(data_dir: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((data_dir / "demo-secrets.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _remember(data_dir: Path, values: dict[str, Any]) -> None:
    _write(data_dir / "demo-secrets.json", values)


def _write(path: Path, values: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(handle)
    draft.replace(path)
