"""The command group, and what every command shares: settings, a runtime, refusals, output."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, Final, NoReturn

import click

from optout_service import __version__, keyfiles
from optout_service.core.errors import Misconfigured, OptOutError
from optout_service.knobs import Secret
from optout_service.settings import Settings

_AS_JSON: Final = "optout.as_json"


class _Refusals(click.Group):
    """A group that ends with status 1 and one clear paragraph where something is refused."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OptOutError as error:
            _refuse(ctx, error)
        except OSError as fault:
            if fault.filename is None:
                raise
            _refuse(ctx, Misconfigured(f"{fault.filename}: {fault.strerror}."))


def _refuse(ctx: click.Context, error: OptOutError) -> NoReturn:
    if ctx.meta.get(_AS_JSON):
        told = {"kind": error.kind, "title": error.title, "detail": error.detail}
        click.echo(json.dumps({"error": told | error.extra}, default=_plain))
    else:
        click.echo(f"error: {error.detail}", err=True)
    ctx.exit(1)


@click.group(cls=_Refusals, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="optout")
def main() -> None:
    """The opt-out service: people say stop, senders ask before they send.

    Settings come from OPTOUT_* in the environment; --data-dir and --database-url come before them.
    To try it: optout demo
    """


def settings_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --data-dir and --database-url, and ``settings`` as its first argument."""

    @click.option("--data-dir", help="Instead of OPTOUT_DATA_DIR.")
    @click.option("--database-url", help="Instead of OPTOUT_DATABASE_URL.")
    @wraps(command)
    def with_settings(
        *args: Any, data_dir: str | None, database_url: str | None, **options: Any
    ) -> Any:
        given = {"data_dir": data_dir, "database_url": database_url}
        chosen = {name: text for name, text in given.items() if text is not None}
        # By way of from_env, so that they are checked as the variables would be.
        read = Settings.from_env({f"OPTOUT_{name.upper()}": text for name, text in chosen.items()})
        settings = replace(
            Settings.from_process(), **{name: getattr(read, name) for name in chosen}
        )
        return command(settings, *args, **options)

    return with_settings


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --json, as its argument ``as_json``."""
    return click.option(
        "--json", "as_json", is_flag=True, callback=_note_json, help="For programs."
    )(command)


def _note_json(ctx: click.Context, _option: click.Parameter, as_json: bool) -> bool:
    ctx.meta[_AS_JSON] = as_json  # One for all contexts of a call: a refusal is told by the group.
    return as_json


@contextmanager
def opened(settings: Settings) -> Iterator[Any]:
    """A Runtime for the length of a command. Raises what ``Runtime.build`` raises."""
    from optout_service.runtime import Runtime

    runtime = Runtime.build(settings, keyfiles.load(settings))
    try:
        yield runtime
    finally:
        runtime.close()


def read_address(text: str) -> str:
    """The address given, or the line on standard input for ``-``: out of the shell's history."""
    return sys.stdin.readline().strip() if text == "-" else text


def show(values: Mapping[str, Any], *, as_json: bool, err: bool = False) -> None:
    """One thing: as JSON, or a line a value; ``err``: on standard error."""
    if as_json:
        click.echo(json.dumps(values, default=_plain, ensure_ascii=False), err=err)
        return
    width = max(map(len, values), default=0)
    for name, value in values.items():
        click.echo(f"{name:<{width}}  {_shown(value)}", err=err)


def show_all(
    rows: Sequence[Mapping[str, Any]], *, as_json: bool, nothing: str, err: bool = False
) -> None:
    """Many things: as a JSON list, or a table; ``nothing`` is what to do when there are none."""
    if as_json:
        click.echo(json.dumps(list(rows), default=_plain, ensure_ascii=False), err=err)
        return
    if not rows:
        click.echo(nothing, err=err)
        return
    names = list(rows[0])
    table = [names, *([_shown(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    for line in table:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip(), err=err)


def scope_values(scope: Any) -> dict[str, str]:
    """A scope, as it is shown."""
    return {"channel": scope.channel, "topic": scope.topic, "purpose": scope.purpose}


def _plain(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Secret):
        return "***"
    if isinstance(value, dict):
        return " ".join(f"{name}={_shown(part)}" for name, part in value.items())
    return _plain(value)


# Imported for their commands, which they hang on ``main``.
from optout_service.cli import (  # noqa: E402, F401
    backup,
    brand,
    calls,
    changes,
    clearance,
    database,
    doctor,
    erase,
    evidence,
    headers,
    hold,
    keys,
    link,
    link_key,
    mail,
    partition,
    recipient,
    reconcile,
    retention,
    review,
    rings,
    scrub,
    serve,
    setup,
    stats,
    texts,
    transfers,
    twilio,
)
from optout_service.cli import text as text_commands  # noqa: E402, F401
