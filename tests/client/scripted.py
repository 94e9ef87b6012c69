"""A service in trouble: it says what it is told to, byte for byte, and closes."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

PROBLEM = b'{"kind": "%b", "status": %d, "detail": "Wait."}'


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """An answer with its length."""
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def refusal(status: int, kind: str, *headers: str) -> bytes:
    """A problem of ours."""
    return answer(status, PROBLEM % (kind.encode(), status), *headers)


class Scripted:
    """``heard``: the requests so far."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.heard: list[bytes] = []


@contextmanager
def scripted(*answers: bytes, upto: bytes = b"") -> Iterator[Scripted]:
    """Somebody who gives these answers, one a connection; none to whoever comes after.

    ``upto``: how a request ends that is heard out.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        told = Scripted(listening.getsockname()[1])
        thread = threading.Thread(target=_serve, args=(listening, answers, upto, told), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            # Closing alone would leave a thread waiting that waits for somebody now.
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def _serve(listening: socket.socket, answers: Sequence[bytes], upto: bytes, told: Scripted) -> None:
    for said in answers:
        try:
            line, _ = listening.accept()
        except OSError:
            return
        with line:
            heard = line.recv(1 << 16)
            while not heard.endswith(upto):
                heard += line.recv(1 << 16)
            told.heard.append(heard)
            line.sendall(said)
            line.shutdown(socket.SHUT_WR)
            while line.recv(1 << 16):
                pass
