"""The self-test at the public URL: what passes, and each thing that can stand in between."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from optout_service.cli.main import main as group
from optout_service.doctor import self_test
from optout_service.doctor.finding import Level
from optout_service.runtime import Runtime
from optout_service.store import chain, feed
from tests.server import Server, free_port
from tests.stage import Cast

NAMES = ["form", "multipart", "bare", "HEAD"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Cast]]:
    running = Server(tmp_path_factory.mktemp("doctor"))
    cast = running.set_up()
    running.start()
    yield running, cast
    running.stop()


def test_it_passes_by_every_form_and_touches_no_tenant(server: tuple[Server, Cast]) -> None:
    running, cast = server
    with running.looking_in() as rt:
        for _ in range(2):
            found = list(self_test.examine(rt))
            assert [one.level for one in found] == [Level.OK] * 5, found
        with rt.reading() as connection:
            assert chain.position(connection, cast.acme).seq == 0
            events = feed.page(connection, 0, after=0, limit=100, keys=rt.keys)
    assert [event.changed for event in events] == [True] + [False] * 5
    assert {event.address for event in events} == {self_test.ADDRESS}


def test_it_is_a_command_that_names_what_to_mend(
    server: tuple[Server, Cast], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, _ = server
    where = ["--data-dir", str(running.data_dir)]
    monkeypatch.setenv("OPTOUT_PUBLIC_URL", running.base_url)
    told = CliRunner().invoke(group, ["doctor", "--self-test", "--json", *where])
    found = json.loads(told.stdout)
    ill = [one["subject"] for one in found["findings"] if one["level"] == "mend"]
    assert (told.exit_code, found["to_mend"], ill) == (1, 1, ["public URL"])
    tried = [one["subject"] for one in found["findings"] if "click" in one["subject"]]
    assert tried == [f"one click, {name}" for name in NAMES]


def test_without_keys_it_says_so_beside_all_else_that_it_can_tell(tmp_path: Path) -> None:
    told = CliRunner().invoke(group, ["doctor", "--data-dir", str(tmp_path)])
    lines = [line.split()[:2] for line in told.output.splitlines()]
    assert (told.exit_code, ["mend", "keys"] in lines, ["mend", "schema"] in lines) == (1, 1, 1)


@contextmanager
def answering(status: int) -> Iterator[str]:
    """Somebody else at the public URL, who answers all with this."""

    class Other(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    other = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever).start()
    try:
        yield f"http://127.0.0.1:{other.server_port}"
    finally:
        other.shutdown()
        other.server_close()


@pytest.mark.parametrize(
    ("status", "why", "ill"),
    [
        (301, "redirected", NAMES),
        (308, "redirected", NAMES),
        (403, "answered with 403", NAMES),
        (200, "nothing is written down here", NAMES[:3]),
    ],
)
def test_what_stands_in_between_is_told(
    rt: Runtime, cast: Cast, status: int, why: str, ill: list[str]
) -> None:
    with answering(status) as url:
        elsewhere = replace(rt, settings=replace(rt.settings, public_url=url))
        found = [one for one in self_test.examine(elsewhere) if one.level is Level.MEND]
    assert [one.subject for one in found if why in one.detail] == [f"one click, {n}" for n in ill]


def test_that_nobody_answers_is_told(rt: Runtime, cast: Cast) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    elsewhere = replace(rt, settings=replace(rt.settings, public_url=url))
    found = list(self_test.examine(elsewhere))
    assert all("Nobody answers" in one.detail for one in found)


def test_that_it_is_not_tls_is_told(rt: Runtime, cast: Cast) -> None:
    with answering(200) as url:
        secure = replace(rt, settings=replace(rt.settings, public_url=url.replace("http", "https")))
        found = list(self_test.examine(secure))
    assert all("certificate" in one.detail for one in found)
