"""``optout serve`` and ``optout demo``: the service, and the same with something to try."""

import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import click

from optout_service import keyfiles
from optout_service.cli.main import main, settings_options
from optout_service.core.errors import Misconfigured
from optout_service.settings import Settings


def _server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--workers", type=click.IntRange(0), help="Instead of OPTOUT_WORKERS."),
        click.option("--port", type=click.IntRange(0, 65535), help="Instead of OPTOUT_PORT."),
        click.option("--host", help="Instead of OPTOUT_HOST."),
    ):
        command = option(command)
    return command


@main.command()
@_server_options
@settings_options
def serve(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Run the service.

    On the embedded default it makes the data directory, the keys and the schema if they are
    absent. On another database the keys must be given, and `optout db upgrade` must have run.
    """
    settings = _with(settings, host, port, workers)
    _require_free(settings)
    _require_metrics_free(settings)
    _prepare(settings, make_keys=settings.embedded, make_schema=settings.embedded)
    _run(settings)


@main.command()
@_server_options
@settings_options
def demo(settings: Settings, host: str | None, port: int | None, workers: int | None) -> None:
    """Run the service with a sample tenant, and print what to try.

    What it prints it also writes, once it answers, to demo.json in the data directory. Started
    again on the same directory it carries on with what is there.
    """
    from optout_service.cli import stage

    stage.claim(settings.data_dir)
    # Before all else: a program that waits for it must not read what an earlier demo wrote.
    stage.forget(settings.data_dir)
    settings = _with(settings, host, port, workers)
    if settings.public_url == Settings().public_url:
        settings = replace(settings, public_url=f"http://{_reached(settings)}")
    _require_free(settings)
    _require_metrics_free(settings)
    _prepare(settings, make_keys=True, make_schema=True)
    told = stage.set_up(settings, f"http://{_reached(settings)}")
    _run(
        settings,
        lambda: stage.tell(told, settings.data_dir),
        lambda: stage.forget(settings.data_dir),
    )


def _with(settings: Settings, host: str | None, port: int | None, workers: int | None) -> Settings:
    given = {"host": host, "port": port, "workers": workers}
    chosen = replace(settings, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    return replace(chosen, port=_free_port(chosen.host)) if chosen.port == 0 else chosen


def _reached(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"[{host}]:{settings.port}" if ":" in host else f"{host}:{settings.port}"


def _free_port(host: str) -> int:
    with _listening(host, 0) as probe:
        port: int = probe.getsockname()[1]
        return port


def _require_free(settings: Settings) -> None:
    """Say so now if the port is taken: gunicorn would try for five seconds first."""
    _listening(settings.host, settings.port).close()


def _require_metrics_free(settings: Settings) -> None:
    if settings.metrics_port:
        _listening(settings.metrics_host, settings.metrics_port).close()


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    probe = socket.socket(family, socket.SOCK_STREAM)
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((host, port))
    except OSError as fault:
        probe.close()
        raise Misconfigured(
            f"{host}:{port} cannot be listened on: {fault.strerror}. Take another with --host or "
            "--port."
        ) from None
    return probe


def _prepare(settings: Settings, *, make_keys: bool, make_schema: bool) -> None:
    """Prove keys and database before gunicorn starts. No connection is left open for its forks."""
    from optout_service.runtime import Runtime

    if make_keys and not (settings.pepper and settings.encryption_keys and settings.signing_keys):
        keyfiles.create_missing(settings.data_dir)
    keys = keyfiles.load(settings)
    made = Runtime.set_up(settings, keys) if make_schema else Runtime.build(settings, keys)
    made.close()


def _run(
    settings: Settings,
    on_ready: Callable[[], None] | None = None,
    on_exit: Callable[[], None] | None = None,
) -> None:
    from optout_service import serving

    make_app = partial(_make_app, settings)
    serving.serve(settings, make_app=make_app, on_ready=on_ready, on_exit=on_exit)


def _make_app(settings: Settings) -> Any:
    from optout_service.app import start

    return start(settings)
