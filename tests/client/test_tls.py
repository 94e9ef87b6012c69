"""Over TLS, as it is in earnest: a list is sent while its answer comes in, on one connection."""

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from optout_service.client import Client, Unavailable
from tests.certificate import self_signed

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nOptout-As-Of: 7\r\n\r\n"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1, and its key beside it."""
    return self_signed(tmp_path)[0]


@pytest.fixture
def echoing(certificate: Path) -> Iterator[str]:
    """Somebody behind TLS whose answer to a list is the list, chunk by chunk as it comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_echo, args=(listening, context), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def _echo(listening: socket.socket, context: ssl.SSLContext) -> None:
    raw, _ = listening.accept()
    try:
        with context.wrap_socket(raw, server_side=True) as line:
            heard = line.makefile("rb")
            while heard.readline() != b"\r\n":
                pass
            line.sendall(HEAD)
            while size := int(heard.readline(), 16):
                line.sendall(b"%x\r\n%b\r\n" % (size, heard.read(size)))
                heard.readline()
            line.sendall(b"0\r\n\r\n")
    except ssl.SSLError:
        pass


def test_a_long_list_goes_both_ways_at_once(echoing: str, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    asked = [f"r{number:07d}@example.com" for number in range(100_000)]
    with Client(echoing, "oo_x", context=context) as client:
        assert list(client.scrub(asked)) == asked


def test_a_certificate_that_nobody_vouches_for_is_no_answer(echoing: str) -> None:
    with Client(echoing, "oo_x") as client, pytest.raises(Unavailable):
        client.scrub(["jo@example.com"])
