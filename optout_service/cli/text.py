"""``optout text``: what messages say, by the rules that the service reads them with."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from optout_service.cli.main import main
from optout_service.core.errors import InvalidRequest

_EXPECTED: Final = 'give one JSON object a line, such as {"text": "STOP", "language": "en"}'


@main.group()
def text() -> None:
    """What people's messages say."""


@text.command()
@click.argument("messages", type=click.File("rb"), default="-")
@click.option(
    "--keywords",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file of your own words, on top of ours (docs/text.md). May be given again.",
)
def classify(messages: BinaryIO, keywords: tuple[Path, ...]) -> None:
    """Say for each message whether it is opt_out, opt_in, help, review or none, and by which rule.

    Reads {"text": ..., "language"?: ...} a line, from a file or from standard input, and writes
    {"intent", "rule", "language"} a line, in the same order. It asks nothing but the rules: no
    database and no keys. A line that cannot be read ends it with status 1, after the answers to
    all lines before it.
    """
    from optout_service import keywordfiles
    from optout_service.core import keyword

    reader = keyword.own_reader()
    for path in keywords:
        reader = reader.with_more(keywordfiles.read(path))
    for message, language in _messages(messages):
        reading = reader.read(message, language)
        answer = {"intent": reading.intent, "rule": reading.rule, "language": reading.language}
        # echo flushes: a program that asks line by line waits for this one.
        click.echo(json.dumps(answer, ensure_ascii=False))


def _messages(lines: BinaryIO) -> Iterator[tuple[str, str | None]]:
    """The messages of the lines. Raises InvalidRequest at the first that cannot be read."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            read = json.loads(line)
        except (ValueError, RecursionError):
            raise InvalidRequest(f"Line {number} is no JSON; {_EXPECTED}.") from None
        yield _message(number, read)


def _message(number: int, read: Any) -> tuple[str, str | None]:
    if not isinstance(read, dict) or not isinstance(read.get("text"), str):
        raise InvalidRequest(f"Line {number} has no text; {_EXPECTED}.")
    language = read.get("language")
    if language is not None and not isinstance(language, str):
        raise InvalidRequest(f"Line {number}: the language is no text; give a tag such as es.")
    return read["text"], language
