"""``optout sender script``: what a sender says on the phone."""

from dataclasses import asdict
from typing import Any

import click

from optout_service.cli.main import json_option, opened, settings_options, show
from optout_service.cli.setup import sender
from optout_service.core.errors import InvalidRequest
from optout_service.settings import Settings

_TENANT = click.option("--tenant", required=True, help="The tenant's slug.")
_ACCOUNT = click.option("--account", "sid", required=True, help="The provider account's id.")
_ADDRESS = click.option("--address", required=True, help="The number that calls or is called.")
_PROVIDER = click.option("--provider", default="twilio", show_default=True)


@sender.group()
def script() -> None:
    """What a sender says on the phone, and which key opts out."""


@script.command("set")
@_TENANT
@_PROVIDER
@_ACCOUNT
@_ADDRESS
@click.option("--key", default="9", show_default=True, help="The digit that opts out.")
@click.option("--language", default="", help="Spoken first; the sender's own unless given.")
@click.option("--second-language", default="", help="Offered by a key.")
@click.option("--message", default="", help="Said after the instruction, or an https recording.")
@click.option("--call-back", default="", help="Your number that voicemail is told to call.")
@json_option
@settings_options
def set_script(
    settings: Settings,
    tenant: str,
    provider: str,
    sid: str,
    address: str,
    key: str,
    language: str,
    second_language: str,
    message: str,
    call_back: str,
    as_json: bool,
) -> None:
    """Give a sender its script, in place of the one it has."""
    from optout_service.providers.phrases import languages
    from optout_service.store import scripts, senders, tenants
    from optout_service.store.scripts import CallScript

    for spoken in filter(None, (language, second_language)):
        if spoken.partition("-")[0].lower() not in languages():
            raise InvalidRequest(
                f"Calls are answered in: {', '.join(languages())}.", field="language"
            )
    made = CallScript(key, language, second_language, message, call_back)
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        of = senders.get(connection, found.id, provider, sid, address)
        scripts.put(connection, of, made)
    _show(address, made, as_json)


@script.command("show")
@_TENANT
@_PROVIDER
@_ACCOUNT
@_ADDRESS
@json_option
@settings_options
def show_script(
    settings: Settings, tenant: str, provider: str, sid: str, address: str, as_json: bool
) -> None:
    """Show what a sender says."""
    from optout_service.store import scripts, senders, tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.get(connection, tenant)
        of = senders.get(connection, found.id, provider, sid, address)
        known = scripts.find(connection, of) or scripts.DEFAULT
    _show(address, known, as_json)


def _show(address: str, known: Any, as_json: bool) -> None:
    show({"sender": address} | asdict(known), as_json=as_json)
