"""Imports and exports under the real server: cut off, long, and beside others' work."""

import contextlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import text

from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.store.chain import verify
from optout_service.store.db import without_limit
from tests.cast import ANA
from tests.server import Server
from tests.stage import Cast
from tests.store.acts import act

ROWS = 100_000
LAST_CHUNK = b"0\r\n\r\n"

# As many suppressions as there are numbers, each with Ana's address in the book.
FILL = (
    "INSERT INTO suppression {numbers} SELECT {digest}, s.tenant, s.channel, s.topic, s.purpose, "
    "s.reason, s.source, s.since, n FROM suppression s, numbers",
    "INSERT INTO address_book (tenant, digest, kind, sealed) {numbers} "
    "SELECT b.tenant, {digest}, b.kind, b.sealed FROM address_book b, numbers",
)
NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows})"
)
DIGEST = {
    "sqlite": "CAST(printf('%016d', n) AS BLOB)",
    "postgresql": "decode(md5(CAST(n AS text)), 'hex')",
}


class Small(Server):
    """A server whose answers begin after a megabyte."""

    @property
    def environ(self) -> dict[str, str]:
        return super().environ | {"OPTOUT_SPOOL_BYTES": "1000000"}


@pytest.fixture
def server(tmp_path: Path, empty_database_url: str) -> Iterator[Server]:
    sqlite = empty_database_url.startswith("sqlite")
    running = Small(tmp_path, "" if sqlite else empty_database_url)
    yield running
    running.stop()


def set_up(server: Server, rows: int = 0) -> Cast:
    cast = server.set_up()
    if rows:
        with server.looking_in() as rt, rt.writing() as connection:
            left = Address.parse(Kind.EMAIL, ANA.email)
            rt.record(connection, act(cast.acme, address=left, scope=Scope("email", "*", "*")))
            without_limit(connection)
            numbers = NUMBERS.format(rows=rows)
            for statement in FILL:
                filling = statement.format(numbers=numbers, digest=DIGEST[rt.database.dialect])
                connection.execute(text(filling))
    server.start()
    return cast


def begin_export(server: Server, cast: Cast) -> socket.socket:
    """An export whose client reads nothing yet, and has little room."""
    call = socket.socket()
    call.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    call.settimeout(30)
    call.connect(("127.0.0.1", server.port))
    head = (
        "GET /v1/suppressions/export?format=csv HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {cast.keys['integration']}",
        "Connection: close",
    )
    call.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
    return call


def rest_of(call: socket.socket) -> bytes:
    seen = bytearray()
    with call, contextlib.suppress(ConnectionError):
        while block := call.recv(1 << 20):
            seen += block
    return bytes(seen)


def test_an_export_over_the_spool_ends_with_its_last_chunk(server: Server) -> None:
    cast = set_up(server, 30_000)
    assert rest_of(begin_export(server, cast)).endswith(LAST_CHUNK)
    answer = httpx.get(
        f"{server.base_url}/v1/suppressions/export",
        headers={
            "Authorization": f"Bearer {cast.keys['auditor']}",
            "Accept-Encoding": "identity",
        },
        timeout=60,
    )
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert len(answer.text.splitlines()) == 30_000


@pytest.mark.parametrize("dialect", ["postgresql"])
def test_an_export_whose_store_goes_away_is_broken_off(
    server: Server, empty_database_url: str, dialect: str
) -> None:
    assert dialect == "postgresql", "an SQLite file cannot be taken from a reader that has it open"
    cast = set_up(server, ROWS)
    call = begin_export(server, cast)
    begun = call.recv(12, socket.MSG_WAITALL)
    with psycopg.connect(empty_database_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    answer = begun + rest_of(call)
    assert answer.startswith(b"HTTP/1.1 200")
    assert not answer.endswith(LAST_CHUNK), "no client may take it for the whole"
    assert answer.count(b"ana.canary") < ROWS
    again = httpx.get(
        f"{server.base_url}/v1/suppressions?limit=1",
        headers={"Authorization": f"Bearer {cast.keys['integration']}"},
    )
    assert again.status_code == 200


@pytest.mark.parametrize("framing", ["by length", "chunked"])
def test_an_import_that_is_cut_off_keeps_what_it_committed_and_no_half_row(
    server: Server, framing: str
) -> None:
    cast = set_up(server)
    lines = b"".join(b"recipient%050d@example.com\n" % number for number in range(9000))
    cut = lines[: len(lines) - 8]
    call = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    length = "Transfer-Encoding: chunked"
    if framing == "by length":
        length = f"Content-Length: {len(lines)}"
    else:
        cut = b"%x\r\n%b" % (len(lines), cut)
    head = (
        "POST /v1/imports?channel=email HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {cast.keys['integration']}",
        "Content-Type: text/plain",
        length,
    )
    call.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + cut)
    call.shutdown(socket.SHUT_WR)
    answer = rest_of(call)
    assert answer.startswith(b"HTTP/1.1 400 ")
    told = re.search(rb'"rows":(\d+)', answer)
    assert told is not None
    with server.looking_in() as rt, rt.reading() as connection:
        walked = verify(connection, cast.acme, rt.keys)
        stands = connection.execute(text("SELECT count(*) FROM suppression")).scalar_one()
    assert walked.whole
    assert int(told[1]) == walked.events == stands
    assert stands % 1000 == 0
    assert 0 < stands < 9000
