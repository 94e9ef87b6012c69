"""How a list is written, for the commands that read one: what they are told, and by its name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

_FORMATS: Final = {"csv": "text/csv", "ndjson": "application/x-ndjson", "text": "text/plain"}
_SUFFIXES: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".txt": "text",
}
_OPTIONS: Final = (
    click.option("--column", help="The address's column, by name, or by number from 1."),
    click.option(
        "--format", "format_", type=click.Choice([*_FORMATS]), help="By IN's name unless given."
    ),
    click.option("--charset", help="UTF-8 unless given."),
    click.option("--delimiter", help="comma, semicolon, tab or pipe; found out unless given."),
    click.option("--header/--no-header", default=None, help="Found out unless given."),
)


def list_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that ``told`` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def told(
    source: str,
    kind: Any,
    *,
    column: str | None,
    format_: str | None,
    charset: str | None,
    delimiter: str | None,
    header: bool | None,
) -> Any:
    """What is known of a list of addresses of this kind; ``source``: the name of its file.

    Raises InvalidRequest for a delimiter that is none.
    """
    from optout_service.core.lists import Media, Told, parse_delimiter

    suffix = Path(source.removesuffix(".gz")).suffix.lower()
    name = format_ or _SUFFIXES.get(suffix, "csv")
    return Told(
        media=Media(_FORMATS[name]),
        charset=charset,
        delimiter=None if delimiter is None else parse_delimiter(delimiter),
        header=header,
        column=column,
        kind=kind,
    )
