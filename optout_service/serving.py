"""gunicorn, as we run it: ``serve`` for the command line, ``options`` for who starts it himself."""

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from gunicorn.app.base import BaseApplication
from gunicorn.errors import AppImportError

from optout_service import heights
from optout_service.core.errors import Misconfigured, OptOutError
from optout_service.settings import Settings
from optout_service.telemetry import GunicornLogger
from optout_service.worker.listening import worker
from optout_service.worker.turns import Shares

_MEMORY: Final = "/dev/shm"


def options(settings: Settings) -> dict[str, Any]:
    """gunicorn's settings, by its own names. Raises Misconfigured for one port with two uses."""
    workers = settings.effective_workers
    return {
        "bind": _binds(settings),
        "workers": workers,
        "threads": settings.effective_threads,
        "worker_class": worker(_shares(settings)),
        "timeout": 30,
        "graceful_timeout": 25,
        "keepalive": 5,
        "worker_connections": 1000,
        "limit_request_line": 8190,
        # A restart of the only worker would be felt; several take turns.
        "max_requests": 20_000 if workers > 1 else 0,
        "max_requests_jitter": 5_000 if workers > 1 else 0,
        "worker_tmp_dir": _MEMORY if os.path.isdir(_MEMORY) else None,
        # Its socket lies in the home directory, which a service often may not write.
        "control_socket_disable": True,
        "logger_class": GunicornLogger,
        "loglevel": settings.log_level,
        "accesslog": None,
        "preload_app": False,
        "post_worker_init": let_waiters_go,
        **_hooks(settings),
    }


def _shares(settings: Settings) -> Shares:
    threads, patience = settings.effective_threads, settings.api_patience_ms / 1000
    # One is left to people and providers, where there are two.
    api = max(1, min(threads * settings.api_share // 100, threads - 1))
    return Shares(threads, api, settings.waiters, patience)


def let_waiters_go(worker: Any) -> None:
    """Have a worker that is to end keep nobody waiting for news: it would end as late as they."""
    watch = getattr(worker.app.wsgi(), "extensions", {}).get("optout_watch")
    if watch is not None:
        watch.ending = lambda: not worker.alive


def _binds(settings: Settings) -> list[str]:
    places = [(settings.host, settings.port)]
    if settings.metrics_port:
        if settings.metrics_port == settings.port:
            raise Misconfigured("OPTOUT_METRICS_PORT: it is the service's own port; take another.")
        places.append((settings.metrics_host, settings.metrics_port))
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in places]


def _hooks(settings: Settings) -> dict[str, Callable[..., None]]:
    """What is done in the process that forks the others, and around each fork."""
    if not settings.metrics_port:
        return {"on_starting": lambda _arbiter: heights.share()}
    from optout_service.metrics import files

    def on_starting(_arbiter: Any) -> None:
        heights.share()
        files.make(settings)

    return {
        "on_starting": on_starting,
        "pre_fork": files.before_fork,
        "post_fork": files.after_fork,
        "child_exit": files.after_death,
        "on_exit": lambda _arbiter: files.remove(),
    }


def serve(
    settings: Settings,
    *,
    make_app: Callable[[], Any],
    on_ready: Callable[[], None] | None = None,
    on_exit: Callable[[], None] | None = None,
) -> None:
    """Serve until a signal ends it. SIGTERM lets requests finish; nothing is read from a
    ``gunicorn.conf.py`` in the working directory.

    ``make_app`` gives the WSGI application, and runs in each worker after the fork: connections do
    not survive one. ``on_ready`` runs once, in the first worker that can answer; ``on_exit`` once,
    in the master, when it is over. Exits the process with status 4 when ``make_app`` raises an
    OptOutError, whose detail goes to standard error.
    """
    _Server(settings, make_app, on_ready, on_exit).run()


def _both(first: Callable[[], None], second: Callable[[Any], None] | None, arbiter: Any) -> None:
    first()
    if second is not None:
        second(arbiter)


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(
        self,
        settings: Settings,
        make_app: Callable[[], Any],
        on_ready: Callable[[], None] | None,
        on_exit: Callable[[], None] | None,
    ) -> None:
        self._settings = settings
        self._make_app = make_app
        self._on_ready = on_ready
        self._on_exit = on_exit
        super().__init__()

    def load_config(self) -> None:
        given = options(self._settings)
        for name, value in given.items():
            self.cfg.set(name, value)
        self.cfg.set("post_worker_init", self._worker_is_ready)
        if (on_exit := self._on_exit) is not None:
            self.cfg.set("on_exit", partial(_both, on_exit, given.get("on_exit")))

    def load(self) -> Any:
        try:
            return self._make_app()
        except OptOutError as error:
            # gunicorn's own way to say: do not start this worker again and again.
            raise AppImportError(f"error: {error.detail}") from error

    def _worker_is_ready(self, worker: Any) -> None:
        let_waiters_go(worker)
        if worker.age == 1 and self._on_ready is not None:
            self._on_ready()
            sys.stdout.flush()
