"""``optout db partition``: the table of suppressions in parts, while the service goes on."""

import sys
import time
from collections.abc import Callable
from typing import Any, Final

import click

from optout_service.cli.database import db
from optout_service.cli.main import json_option, opened, settings_options, show
from optout_service.core.errors import StoreUnavailable
from optout_service.settings import Settings

_ROWS: Final = 5000
"""Copied at once: those who opt out meanwhile wait for these rows, some tens of milliseconds."""

_TRIES: Final = 60


@db.command()
@click.option("--count", "parts", type=int, default=32, show_default=True, help="A power of two.")
@json_option
@settings_options
def partition(settings: Settings, parts: int, as_json: bool) -> None:
    """Lay the suppressions out in parts, by the hash of their digest. PostgreSQL only.

    Opt-outs and checks go on; run it as the owner of the tables, past any pooler. It needs room for
    the table once more. Whatever ends it on its way changes nothing; then run it again.
    """
    from optout_service.runtime import Connection
    from optout_service.store import partitions

    began, copied, after = time.monotonic(), 0, None
    with opened(settings) as rt:

        def soon(work: Callable[[Connection], Any]) -> Any:
            """As soon as nobody holds the table."""
            for left in reversed(range(_TRIES)):
                try:
                    with rt.writing() as connection:
                        return work(connection)
                except StoreUnavailable as fault:
                    if not (left and partitions.was_held(fault)):
                        raise
                    time.sleep(1)

        identity = soon(lambda connection: partitions.begin(connection, parts))
        try:
            while True:
                with rt.writing() as connection:
                    found, after = partitions.copy(connection, after, _ROWS)
                if not found:
                    break
                copied += found
                click.echo(f"\r{copied} rows", err=True, nl=False)
            click.echo(err=True)
            with rt.writing() as connection:
                partitions.compare(connection)
            waited = time.monotonic()
            soon(lambda connection: partitions.swap(connection, identity))
            waited = time.monotonic() - waited
        except BaseException:
            soon(partitions.take_down)
            raise
    sys.stderr.flush()
    show(
        {
            "parts": parts,
            "rows": copied,
            "seconds": round(time.monotonic() - began, 1),
            "writes_waited_ms": round(waited * 1000),
        },
        as_json=as_json,
    )
