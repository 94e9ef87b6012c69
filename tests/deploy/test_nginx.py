"""nginx as we ship it, before a stand-in and before the service itself."""

import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.doctor import self_test
from optout_service.doctor.finding import Level
from optout_service.store import feed
from tests import loopback
from tests.deploy import needs
from tests.deploy.proxy import Proxy
from tests.postgres import ExistingServer, PostgreSQL
from tests.server import Server, free_port

pytestmark = needs.without("nginx")
TOKEN = "AQAAcanary"
PAIR = {"List-Unsubscribe": "One-Click"}
Seen = list[tuple[str, dict[str, str], int]]


@contextmanager
def standin(port: int) -> Iterator[Seen]:
    """A service that notes what reached it: target, headers, length of the body; and says yes."""
    seen: Seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            seen.append((self.path, dict(self.headers), len(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with loopback.serving(ThreadingHTTPServer(("127.0.0.1", port), Handler)):
        yield seen


@contextmanager
def serving(*servers: Server) -> Iterator[None]:
    """The service itself, until the test is over, however it ends."""
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.stop()


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    """nginx, before two ports at which nobody listens yet."""
    with Proxy(tmp_path, (free_port(), free_port())) as running:
        yield running


def test_a_request_is_handed_on_as_it_came(proxy: Proxy) -> None:
    target = f"/u/{TOKEN}//a%2Fb;c?d=%20&e"
    with standin(proxy.ports[0]) as seen, proxy.client() as client:
        assert client.post(target, content=b"x").status_code == 200
    (path, headers, length), *rest = seen
    assert (path, length, rest) == (target, 1, [])
    assert headers["Host"] == f"127.0.0.1:{proxy.port}"


def test_what_a_caller_says_of_its_own_address_is_dropped(proxy: Proxy) -> None:
    told = {
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Forwarded-Host": "evil.example",
    }
    with standin(proxy.ports[0]) as seen, proxy.client("127.0.0.2") as client:
        client.get("/", headers=told)
    headers = seen[0][1]
    assert headers["X-Forwarded-For"] == "127.0.0.2"
    assert not {"Forwarded", "X-Forwarded-Host"} & set(headers)


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/check", 413), ("/v1/scrub", 200), ("/v1/imports", 200)]
)
def test_only_lists_may_be_of_any_length(proxy: Proxy, path: str, status: int) -> None:
    with standin(proxy.ports[0]), proxy.client() as client:
        assert client.post(path, content=bytes(4 * 1024 * 1024)).status_code == status


def test_metrics_are_closed(proxy: Proxy) -> None:
    with standin(proxy.ports[0]) as seen, proxy.client() as client:
        assert client.get("/metrics").status_code == 404
    assert seen == []


def test_in_clear_a_page_is_sent_on_and_a_post_is_not_redirected(proxy: Proxy) -> None:
    page = httpx.get(f"{proxy.in_clear}/u/{TOKEN}")
    assert page.status_code == 301
    assert page.headers["Location"].startswith("https://")
    assert httpx.post(f"{proxy.in_clear}/u/{TOKEN}", data=PAIR).status_code == 403


def test_a_service_that_is_gone_is_said_so_with_a_status_after_which_one_comes_again(
    proxy: Proxy,
) -> None:
    with proxy.client() as client:
        answer = client.post(f"/u/{TOKEN}", data=PAIR)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.text.startswith("Not recorded")


def test_no_log_line_holds_a_token_or_a_query(proxy: Proxy) -> None:
    with proxy.client() as client:
        for path in (f"/u/{TOKEN}", f"/U/{TOKEN}", f"/{TOKEN}", f"/v1/events?after={TOKEN}"):
            client.get(path, headers={"Referer": f"https://x.example/{TOKEN}"})
            client.post(path, content=bytes(4 * 1024 * 1024), headers={"User-Agent": TOKEN})
        client.get(f"/u/{TOKEN}\u00e9", headers={"Host": TOKEN})
        httpx.get(f"{proxy.in_clear}/u/{TOKEN}")
    written = proxy.stop()
    assert written.count('"door": "/u/"') >= 3
    assert '"door": "/v1/events"' in written
    assert TOKEN not in written


def test_an_opt_out_by_way_of_nginx_notes_where_the_person_was(tmp_path: Path) -> None:
    server = Server(tmp_path, OPTOUT_PROXIES="1")
    cast = server.set_up()
    address = Address.parse(Kind.EMAIL, "jo@example.com")
    with serving(server), server.looking_in() as rt:
        token = rt.links.mint(Claim(cast.acme, "email", address, "newsletter"))
        with Proxy(tmp_path, (server.port, free_port())) as proxy, proxy.client("127.0.0.2") as jo:
            spoofed = {"X-Forwarded-For": "203.0.113.9"}
            assert jo.post(f"/u/{token}", data=PAIR, headers=spoofed).status_code == 200
        with rt.reading() as connection:
            (event,) = feed.history(connection, cast.acme, address, rt.keys)
    assert event.evidence["ip"] == "127.0.0.2"


def test_no_request_is_lost_while_one_instance_after_the_other_is_restarted(
    postgres: PostgreSQL | ExistingServer, migrated_database: str, tmp_path: Path
) -> None:
    url = postgres.create_database(f"optout_{tmp_path.name}"[:60], migrated_database)
    given = {"OPTOUT_PUBLIC_URL": "https://optout.example.com", "OPTOUT_PROXIES": "1"}
    given["OPTOUT_CHECKPOINT_SECONDS"] = "0"
    a, b = (Server(tmp_path, url, **given) for _ in "ab")
    cast = a.set_up()
    with a.looking_in() as rt:
        claims = [
            Claim(cast.acme, "email", Address.parse(Kind.EMAIL, f"p{n}@example.com"), "newsletter")
            for n in range(2000)
        ]
        links = iter([rt.links.mint(claim) for claim in claims])
    over = threading.Event()

    def keep_asking(proxy: Proxy) -> list[int]:
        key = {"Authorization": f"Bearer {cast.keys['sender']}"}
        question = {"channel": "email", "address": "jo@example.com", "topic": "newsletter"}
        statuses = []
        with proxy.client() as client:
            while not over.is_set() and (token := next(links, None)):
                statuses.append(client.post(f"/u/{token}", data=PAIR).status_code)
                asked = client.post("/v1/check", json=question, headers=key)
                statuses.append(asked.status_code)
        return statuses

    with (
        serving(a, b),
        Proxy(tmp_path, (a.port, b.port)) as proxy,
        ThreadPoolExecutor(4) as pool,
    ):
        asking = [pool.submit(keep_asking, proxy) for _ in range(4)]
        try:
            for server in (a, b):
                assert server.stop() == 0
                server.start()
        finally:
            over.set()
        statuses = [status for asked in asking for status in asked.result()]
    assert len(statuses) > 100
    assert set(statuses) == {200}


def test_the_doctor_has_nothing_to_say_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(tmp_path, OPTOUT_PROXIES="1")
    server.set_up()
    with serving(server), Proxy(tmp_path, (server.port, free_port())) as proxy:
        monkeypatch.setenv("SSL_CERT_FILE", str(proxy.certificate))
        with server.looking_in() as rt:
            public = f"https://127.0.0.1:{proxy.port}"
            settings = replace(rt.settings, public_url=public, proxies=1)
            found = list(self_test.examine(replace(rt, settings=settings)))
    assert {one.subject for one in found} >= {"proxy headers", "https"}
    assert [one for one in found if one.level is not Level.OK] == []


def test_the_files_are_what_nginx_reads(tmp_path: Path) -> None:
    proxy = Proxy(tmp_path, (free_port(), free_port()))
    ran = subprocess.run([*proxy.command, "-t"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "[warn]" not in ran.stderr
