"""``optout headers``: whether a mail's header lets people leave with one click."""

from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

import click

from optout_service import keyfiles
from optout_service.cli.main import json_option, main, settings_options, show, show_all
from optout_service.core import lint as rules
from optout_service.core.errors import BadToken, Malformed
from optout_service.core.lint import FINDINGS, Finding, Level
from optout_service.settings import Settings

_MOST_BYTES: Final = 1024 * 1024
"""Of a header; mail servers take less."""

_TIMEOUT_SECONDS: Final = 10


@main.group()
def headers() -> None:
    """The header fields of a mail (RFC 8058)."""


@headers.command()
@click.argument("source", metavar="FILE")
@click.option("--unsigned", is_flag=True, help="The mail is still to be signed (DKIM).")
@click.option(
    "--ask",
    is_flag=True,
    help="Send the link a HEAD, which changes nothing, and look whether it redirects.",
)
@click.option("--ours", is_flag=True, help="Look whether the link is signed with our keys.")
@json_option
@settings_options
@click.pass_context
def lint(
    ctx: click.Context,
    /,
    settings: Settings,
    source: str,
    unsigned: bool,
    ask: bool,
    ours: bool,
    as_json: bool,
) -> None:
    """Tell what a mailbox provider would object to in a mail.

    FILE is a mail as it is sent (RFC 5322), or - for standard input. Each finding names the rule it
    comes from. Status 1 if there is a fault; advice is none.
    """
    mail = rules.parse(_header(source))
    found = rules.findings(mail, signed=not unsigned)
    if ours and mail.link is not None:
        found += _whether_ours(settings, mail.link)
    if mail.link is not None:
        found += _answer(mail.link) if ask else [FINDINGS["not-asked"]]
    found.sort(key=lambda finding: [*Level].index(finding.level))
    faults = sum(finding.level is Level.FAULT for finding in found)
    rows = [_row(finding) for finding in found]
    if as_json:
        show({"faults": faults, "findings": rows}, as_json=True)
    else:
        show_all(rows, as_json=False, nothing="Nothing to object to.")
    ctx.exit(1 if faults else 0)


def _header(source: str) -> bytes:
    """The header of a mail, and no more of the mail than that."""
    with click.open_file(source, "rb") as file:
        start: bytes = file.read(_MOST_BYTES)
    end = rules.header_end(start)
    if end is None and len(start) == _MOST_BYTES:
        raise Malformed("The header does not end within a MiB. Is this a mail (RFC 5322)?")
    return start[:end]


def _whether_ours(settings: Settings, link: str) -> list[Finding]:
    from optout_service.core.token import Links

    try:
        Links(keyfiles.load(settings)).read(urlsplit(link).path.rpartition("/")[2])
    except (BadToken, ValueError):
        return [FINDINGS["not-ours"]]
    return []


def _answer(link: str) -> list[Finding]:
    try:
        parts = urlsplit(link)
        connection = _connection(parts.scheme)(parts.netloc, timeout=_TIMEOUT_SECONDS)
        with closing(connection):
            connection.request("HEAD", parts._replace(scheme="", netloc="").geturl() or "/")
            return rules.of_answer(connection.getresponse().status)
    except (OSError, HTTPException, ValueError):
        return [FINDINGS["no-answer"]]


def _connection(scheme: str) -> type[HTTPConnection]:
    return HTTPSConnection if scheme == "https" else HTTPConnection


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "level": finding.level.value,
        "rule": finding.rule,
        "source": finding.source,
        "detail": finding.detail,
    }
