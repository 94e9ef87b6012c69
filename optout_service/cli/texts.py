"""``optout sender text set|list|remove``: what is said back to a person who answers."""

import sys
from typing import Any

import click

from optout_service.cli.main import json_option, opened, settings_options, show, show_all
from optout_service.cli.setup import sender
from optout_service.settings import Settings

_TENANT = click.option("--tenant", required=True, help="The tenant's slug.")
_SAID = ("stop", "start", "help", "refused", "review")


@sender.group()
def text() -> None:
    """A tenant's own words for the replies to STOP, START and HELP."""


@text.command("set")
@_TENANT
@click.argument("said", type=click.Choice(_SAID))
@click.option("--language", default="en", show_default=True, help="A tag such as fr or pt-BR.")
@click.option("--text", "words", help="The text; {brand} and {contact} are filled in.")
@json_option
@settings_options
def set_text(
    settings: Settings, tenant: str, said: str, language: str, words: str | None, as_json: bool
) -> None:
    """Set a text, in place of the built-in one. Read from standard input unless --text is given.

    It is checked for what it must say, and for its length: at most three segments.
    """
    from optout_service.core.texts import Said
    from optout_service.store import tenants, texts

    given = words if words is not None else sys.stdin.read().strip()
    with opened(settings) as rt, rt.writing() as connection:
        found = tenants.get(connection, tenant)
        made = texts.put(connection, found.id, Said(said), language, given)
    show(_values(made), as_json=as_json)


@text.command("list")
@_TENANT
@json_option
@settings_options
def list_texts(settings: Settings, tenant: str, as_json: bool) -> None:
    """List a tenant's own texts, with their length as sent."""
    from optout_service.store import tenants, texts

    with opened(settings) as rt, rt.reading() as connection:
        found = texts.list_all(connection, tenants.get(connection, tenant).id)
    nothing = "None: the built-in texts are used. Set one with: optout sender text set"
    show_all([_values(made) for made in found], as_json=as_json, nothing=nothing)


@text.command("remove")
@_TENANT
@click.argument("said", type=click.Choice(_SAID))
@click.option("--language", default="en", show_default=True)
@json_option
@settings_options
def remove_text(settings: Settings, tenant: str, said: str, language: str, as_json: bool) -> None:
    """Go back to the built-in text."""
    from optout_service.core.texts import Said
    from optout_service.store import tenants, texts

    with opened(settings) as rt, rt.writing() as connection:
        texts.remove(connection, tenants.get(connection, tenant).id, Said(said), language)
    show({"said": said, "language": language, "removed": True}, as_json=as_json)


def _values(made: Any) -> dict[str, Any]:
    return {
        "said": made.said.value,
        "language": made.language,
        "segments": made.length.segments,
        "encoding": made.length.encoding.value,
        "text": made.text,
    }
