"""What whoever watches the service is shown: what the workers counted, and what the store says."""

from typing import Final

from optout_service.core.errors import OptOutError
from optout_service.runtime import Runtime
from optout_service.store import figures

_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def show(runtime: Runtime) -> tuple[str, bytes]:
    """The media type and the body of ``/metrics``. A store that is gone is a figure in it."""
    note_pools(runtime)
    try:
        with runtime.reading() as connection:
            found = figures.read(connection, runtime.now())
    except OptOutError:
        found = {}
    lines = [_gauge("optout_store_up", "Whether the store can be read.", int(bool(found)))]
    lines += [_gauge(name, figures.FIGURES[name][0], value) for name, value in found.items()]
    return _CONTENT_TYPE, runtime.metrics.exposition() + "".join(lines).encode()


def note_pools(runtime: Runtime) -> None:
    """Note how many connections of this process are in use."""
    for name, in_use in runtime.database.in_use().items():
        runtime.metrics.pool(name, in_use)


def _gauge(name: str, doc: str, value: int) -> str:
    return f"# HELP {name} {doc}\n# TYPE {name} gauge\n{name} {value}\n"
