"""``optout twilio verify|replay``: is the hook's set-up sound, before a STOP is lost in silence?"""

from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import click

from optout_service.cli.main import json_option, main, opened, settings_options, show, show_all
from optout_service.core.errors import InvalidRequest, NotFound
from optout_service.settings import Settings


def _read(_: click.Context, __: click.Parameter, files: tuple[Any, ...]) -> list[tuple[str, str]]:
    return [(file.name, file.read().strip()) for file in files]


_TOKEN_FILE = click.option(
    "--token-file",
    "given",
    type=click.File("r"),
    multiple=True,
    callback=_read,
    help="A file with an auth token; else those registered for the request's AccountSid.",
)


@main.group()
def twilio() -> None:
    """Twilio's hooks: try them, find out why one is refused, catch up after an outage."""


@twilio.command()
@click.argument("file", type=click.File("rb"), default="-")
@_TOKEN_FILE
@click.option("--public-url", help="What the service is called; OPTOUT_PUBLIC_URL unless given.")
@json_option
@settings_options
@click.pass_context
def verify(
    ctx: click.Context,
    settings: Settings,
    file: BinaryIO,
    given: list[tuple[str, str]],
    public_url: str | None,
    as_json: bool,
) -> None:
    """Say whether a captured request's signature holds and, if not, what went wrong.

    FILE, or standard input: {"method", "url", "headers", "body"} as JSON, or the text of the HTTP
    request. Neither token nor address is shown. Status 1 unless it holds.
    """
    from optout_service.providers.captured import Captured
    from optout_service.providers.twilio_check import MENDS, diagnose

    captured = Captured.parse(file.read())
    tokens = given or _registered(settings, captured.fields.get("AccountSid", ""))
    url = public_url if public_url is not None else _own_url(settings)
    found = diagnose(captured, [secret for _, secret in tokens], url)
    values: dict[str, Any] = {
        "holds": found.holds,
        "signed_by": None if found.token is None else tokens[found.token][0],
        "causes": list(found.causes),
        "mend": [MENDS[cause] for cause in found.causes],
    }
    if as_json:
        show(values, as_json=True)
    else:
        lists = {name: " ".join(values[name]) for name in ("mend",)}
        show(values | lists | {"causes": ", ".join(found.causes)}, as_json=False)
    ctx.exit(0 if found.holds else 1)


@twilio.command()
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1)
@click.option("--to", required=True, help="The service, such as http://127.0.0.1:8000.")
@_TOKEN_FILE
@click.option("--public-url", help="The URL to sign, where the service is called otherwise.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change a form field.")
@click.option("--yes", is_flag=True, help="Send it even to a host that is not ours.")
@json_option
@settings_options
@click.pass_context
def replay(
    ctx: click.Context,
    settings: Settings,
    files: tuple[Path, ...],
    to: str,
    given: list[tuple[str, str]],
    public_url: str | None,
    changes: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Post recorded requests with fresh signatures, to test an installation.

    FILES: captured requests, one JSON object a line, or one form-encoded body. They are sent to
    this machine or to OPTOUT_PUBLIC_URL. What they say is recorded there as if Twilio had sent it.
    Status 1 unless each is answered 2xx.
    """
    from optout_service.cli import posting

    posting.require_ours(to, settings.public_url, yes=yes)
    changed = dict(_pair(change) for change in changes)
    signed_as = public_url or (_own_url(settings) if posting.is_loopback(to) else "")
    token_of = cache(lambda account: (given or _registered(settings, account))[0][1])
    rows: list[dict[str, Any]] = []
    for place, recorded in posting.recorded(files, changed):
        token = token_of(recorded.fields.get("AccountSid", ""))
        answer = posting.post(recorded, to, signed_as, token)
        rows.append({"request": place, "status": answer.status, "body": answer.body})
    show_all(rows, as_json=as_json, nothing="No request in these files.")
    ctx.exit(0 if rows and all(200 <= row["status"] < 300 for row in rows) else 1)


def _registered(settings: Settings, account: str) -> list[tuple[str, str]]:
    """An account's auth tokens, each with what it may be called. Raises NotFound without one."""
    from optout_service.store import senders, tenants

    found = []
    with opened(settings) as rt, rt.reading() as connection:
        for row in senders.accounts(connection, "twilio", account, keys=rt.keys):
            slug = tenants.get_by_id(connection, row.tenant).slug
            for place, token in enumerate(row.tokens, 1):
                found.append((f"{slug}, token {place} of {len(row.tokens)}, newest first", token))
    if not found:
        raise NotFound(
            "No auth token to try: the request's AccountSid is not registered here. Register it "
            "with optout account add, or give --token-file."
        )
    return found


def _own_url(settings: Settings) -> str:
    """The public URL, where one was set: the default says nothing of an installation."""
    return "" if settings.public_url == Settings().public_url else settings.public_url


def _pair(change: str) -> tuple[str, str]:
    name, equals, value = change.partition("=")
    if not name or not equals:
        raise InvalidRequest("A change is NAME=VALUE.", field="set")
    return name, value
