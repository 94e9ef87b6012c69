"""How long opt-outs wait at a fail-over: ``python -m tests.scaling``. Needs patroni and etcd."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.scaling import failover, pair, patroni
from tests.scaling.failover import History


def main() -> None:
    """Each way of failing once, under load; prints what was found."""
    with pair.running() as two, tempfile.TemporaryDirectory() as folder:
        url = two.url(two.database())
        two.require_both()
        tried("promoted at once", url, Path(folder), lambda: failover.kill_and_promote(two))
    by_patroni("Patroni, the leader's PostgreSQL killed", patroni.Node.kill_postgres)
    by_patroni("Patroni, the leader's machine gone", patroni.Node.kill)


def by_patroni(name: str, kill: Callable[[patroni.Node], None]) -> None:
    """The same, where Patroni finds out for itself."""
    with (
        tempfile.TemporaryDirectory() as home,
        tempfile.TemporaryDirectory() as folder,
        patroni.cluster(Path(home) / "cluster") as nodes,
    ):
        leader = f"postgresql://postgres@127.0.0.1:{nodes[0].port}/postgres"
        with psycopg.connect(leader, autocommit=True) as connection:
            connection.execute("CREATE DATABASE optout")
        tried(name, patroni.url(nodes, "optout"), Path(folder), lambda: kill(nodes[0]))


def tried(name: str, url: str, folder: Path, fail: Callable[[], None]) -> None:
    """One of them."""
    with failover.nodes(folder, url) as (first, second, key):
        with failover.load((first.base_url, second.base_url), key) as history:
            history.await_acknowledged(100)
            fail()
            began = time.monotonic()
            while len(history.acknowledged) < 200 and time.monotonic() < began + 120:
                time.sleep(0.05)
            time.sleep(5)
        with first.looking_in() as rt:
            lost = failover.lost(rt, 1, history)
    print(said(name, history, lost), flush=True)


def said(name: str, history: History, lost: list[str]) -> str:
    """A line of the table in docs/scaling.md."""
    return (
        f"| {name} | {len(history.acknowledged)} | {len(lost)} | {history.checked} | "
        f"{len(history.said_allowed)} | {history.longest_gap():.1f} s | {history.refused} |"
    )


if __name__ == "__main__":
    main()
