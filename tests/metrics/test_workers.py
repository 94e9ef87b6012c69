"""The counts of all workers of a real server are one count, also after one was killed."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.server import Server, free_port

PORT = free_port()
CHECK = {"channel": "email", "address": "jo@example.com"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path, workers=2, OPTOUT_METRICS_PORT=str(PORT))
    yield running
    running.stop()


def figures() -> dict[tuple[str, ...], float]:
    # A connection for each: the kernel gives them to either worker.
    shown = httpx.get(f"http://127.0.0.1:{PORT}/metrics", timeout=10).text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
    }


def checks(server: Server, secret: str, times: int) -> set[str]:
    """Ask so many times; give the processes that answered: a request's id begins with its own."""
    answered = set()
    for _ in range(times):
        answer = httpx.post(
            f"{server.base_url}/v1/check",
            json=CHECK,
            headers={"Authorization": f"Bearer {secret}"},
            timeout=10,
        )
        assert answer.status_code == 200
        answered.add(answer.headers["X-Request-Id"][:10])
    return answered


def counted() -> list[float]:
    found = figures()
    timed = "optout_http_request_duration_seconds_count"
    return [found["optout_verdicts_total", "allowed"], found[timed, "POST", "/v1/check", "2xx"]]


def test_every_worker_shows_the_counts_of_all_and_none_is_lost(server: Server) -> None:
    secret = server.set_up().keys["sender"]
    server.start()
    asked, answered = 0, set[str]()
    while len(answered) < 2:
        assert asked < 400, "one worker has answered everything"
        answered |= checks(server, secret, 20)
        asked += 20
    for _ in range(10):
        assert counted() == [asked, asked]

    before = set(server.workers())
    server.kill_a_worker()
    server.await_workers(2, other_than=before)
    assert counted() == [asked, asked]
    checks(server, secret, 20)
    assert counted() == [asked + 20, asked + 20]

    (directory,) = server.data_dir.glob("optout-metrics-*")
    # Two slots for however many workers there were.
    assert {path.name for path in directory.glob("counter_*")} == {"counter_0.db", "counter_1.db"}
    server.stop()
    assert not directory.exists()


def test_what_a_killed_server_left_behind_is_cleared_at_the_next_start(server: Server) -> None:
    server.set_up()
    server.start()
    (left,) = server.data_dir.glob("optout-metrics-*")
    server.kill()
    assert left.exists()
    server.start()
    (made,) = server.data_dir.glob("optout-metrics-*")
    assert made != left
