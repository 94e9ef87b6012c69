"""Over TLS, as it is in earnest: a list is sent while its answer comes in, on one connection."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from optout_service.client import Client, Unavailable

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nOptout-As-Of: 7\r\n\r\n"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def echoing(certificate: Path) -> Iterator[str]:
    """Somebody behind TLS whose answer to a list is the list, chunk by chunk as it comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
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
