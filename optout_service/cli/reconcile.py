"""``optout twilio reconcile``: after an outage, what Twilio heard and we did not."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from optout_service.cli.main import json_option, opened, settings_options, show, show_all
from optout_service.cli.twilio import twilio
from optout_service.core.errors import InvalidRequest, NotFound
from optout_service.settings import Settings

_API = "https://api.twilio.com"


def _moment(_: click.Context, __: click.Parameter, text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("give a time such as 2026-11-24T08:00:00Z") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


@twilio.command()
@click.option("--since", required=True, callback=_moment, help="RFC 3339; UTC unless it says.")
@click.option("--tenant", help="Only the accounts of this tenant.")
@click.option("--account", "sid", help="Only this account.")
@click.option("--dry-run", is_flag=True, help="Say what was missed, and record nothing.")
@click.option("--api", default=_API, show_default=True, help="Or a stand-in on this machine.")
@json_option
@settings_options
def reconcile(
    settings: Settings,
    since: datetime,
    tenant: str | None,
    sid: str | None,
    dry_run: bool,
    api: str,
    as_json: bool,
) -> None:
    """Read Twilio's log of messages, and record what never arrived as a hook.

    Each message counts once, with the time at which it was sent: to run it again is harmless. It
    says from when to when nothing was heard.
    """
    from optout_service.providers import twilio_log

    base = twilio_log.require_api(api)
    with opened(settings) as rt:
        told = [
            _reconciled(rt, account, since, base, dry_run) for account in _accounts(rt, tenant, sid)
        ]
    if as_json:
        show({"accounts": told, "dry_run": dry_run}, as_json=True)
        return
    for row in told:
        show({name: value for name, value in row.items() if name != "silences"}, as_json=False)
        show_all(row["silences"], as_json=False, nothing="Nothing was missed.")


def _accounts(rt: Any, tenant: str | None, sid: str | None) -> list[str]:
    from optout_service.store import senders, tenants

    with rt.reading() as connection:
        owner = tenants.get(connection, tenant).id if tenant else None
        known = senders.account_ids(connection, "twilio", owner)
    chosen = [account for account in known if sid in (None, account)]
    if not chosen:
        raise NotFound("There is no such Twilio account. Add one with: optout account add")
    return chosen


def _reconciled(rt: Any, account: str, since: datetime, api: str, dry_run: bool) -> dict[str, Any]:
    """One account, by the first of its tokens that Twilio takes."""
    from optout_service.providers import recovery, twilio_log

    refused: InvalidRequest | None = None
    for token, holders in _tokens(rt, account):
        log = twilio_log.messages(account, token, since, api=api, pause=time.sleep)
        try:
            report = recovery.recover(rt, log, [*holders], dry_run=dry_run)
        except InvalidRequest as refusal:
            refused = refusal
            continue
        return {
            "account": account,
            "tenants": list(holders.values()),
            "read": report.read,
            "known": report.known,
            "missed": dict(report.missed),
            "silences": [asdict(silence) for silence in report.silences],
        }
    assert refused is not None
    raise refused


def _tokens(rt: Any, account: str) -> Iterator[tuple[str, dict[int, str]]]:
    """An account's auth tokens, the newest first, each with the tenants that gave it to us.

    A token speaks only for those: the log is theirs to read, as the hooks are.
    """
    from optout_service.store import senders, tenants

    with rt.reading() as connection:
        rows = senders.accounts(connection, "twilio", account, keys=rt.keys)
        slugs = {row.tenant: tenants.get_by_id(connection, row.tenant).slug for row in rows}
    oldest = max(len(row.tokens) for row in rows)
    newest_first = [row.tokens[n] for n in range(oldest) for row in rows if n < len(row.tokens)]
    for token in dict.fromkeys(newest_first):
        yield token, {row.tenant: slugs[row.tenant] for row in rows if token in row.tokens}
