"""R19: a million suppressions, asked for one by one and a thousand at a time, over HTTP."""

import time
from collections.abc import Iterator
from typing import Any, Final

import httpx

from tests.bench.ground import fill
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground

_SINGLE_MS: Final = 10.0
_BATCH_MS: Final = 100.0
_BATCH: Final = 1000


def run(ground: Ground, size: Size) -> Figure:
    """One client of the real server. In the bounded size nothing is said of time."""
    rows = size.pick(20_000, 1_000_000)
    server = ground.server("" if ground.dialect == "sqlite" else ground.database())
    cast = server.set_up()
    fill(server, cast.acme, rows)
    server.start()
    shown = {"Authorization": f"Bearer {cast.keys['sender']}"}
    with httpx.Client(base_url=server.base_url, headers=shown, timeout=60) as client:
        wrong_singles, singles = _singles(client, rows, size.pick(100, 5_000))
        wrong_batches, batches = _batches(client, rows, size.pick(3, 200))
    broken = [*wrong_singles, *wrong_batches]
    if size is Size.FULL:
        broken += _too_slow("a check", singles, _SINGLE_MS)
        broken += _too_slow("a batch", batches, _BATCH_MS)
    return Figure(
        f"{rows:,} suppressions, {len(singles):,} checks: p50 {_at(singles, 0.5):.1f}, "
        f"p99 {_at(singles, 0.99):.1f} ms; {len(batches)} batches of {_BATCH:,}: "
        f"p50 {_at(batches, 0.5):.0f}, p99 {_at(batches, 0.99):.0f} ms",
        tuple(broken),
    )


def _singles(client: httpx.Client, rows: int, count: int) -> tuple[list[str], list[float]]:
    """Checks, every other one of somebody who left; milliseconds each."""
    wrong, took = [], []
    for number in range(count):
        left = number % 2 == 0
        name = f"s{number * 7919 % rows}" if left else f"r{number}"
        body = {"channel": "email", "address": f"{name}@example.com"}
        answer, milliseconds = _timed(client, "/v1/check", body)
        took.append(milliseconds)
        if answer.status_code != 200 or answer.json()["suppressed"] is not left:
            wrong.append(f"{name}: {answer.status_code} {answer.text[:80]}")
    return wrong, took


def _batches(client: httpx.Client, rows: int, count: int) -> tuple[list[str], list[float]]:
    """Batches of which one in ten left; milliseconds each."""
    wrong, took = [], []
    for number in range(count):
        first = number * _BATCH
        left = [f"s{(first + n) * 7919 % rows}@example.com" for n in range(_BATCH // 10)]
        others = [f"r{first + n}@example.com" for n in range(_BATCH - len(left))]
        body = {"channel": "email", "addresses": left + others}
        answer, milliseconds = _timed(client, "/v1/check/batch", body)
        took.append(milliseconds)
        found = {one["address"] for one in answer.json().get("suppressed", ())}
        if found != set(left):
            wrong.append(f"batch {number}: {len(found)} of {len(left)}")
    return wrong, took


def _timed(client: httpx.Client, path: str, body: Any) -> tuple[httpx.Response, float]:
    began = time.perf_counter()
    answer = client.post(path, json=body)
    return answer, 1000 * (time.perf_counter() - began)


def _too_slow(what: str, took: list[float], most: float) -> Iterator[str]:
    if (found := _at(took, 0.99)) > most:
        yield f"{what} takes {found:.1f} ms at p99, and {most:.0f} were promised"


def _at(took: list[float], share: float) -> float:
    return sorted(took)[int(share * (len(took) - 1))]
