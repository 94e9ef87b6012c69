"""A stand-in for Twilio's REST API on the loopback: an account's log of messages, page by page."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests import loopback, payloads, stage

Message = dict[str, Any]


def message(sid: str, at: datetime, **changes: Any) -> Message:
    """One resource of the log, as it was recorded, with these fields changed."""
    recorded: Message = json.loads(payloads.load("twilio/message_resource"))
    sent = format_datetime(at.astimezone(UTC))
    return recorded | {"sid": sid, "date_sent": sent, "date_created": sent, "at": at} | changes


class Standin:
    """The API: what it holds, how it answers, and what it was asked."""

    def __init__(self, log: list[Message], token: str = stage.TOKEN, page: int = 100) -> None:
        self.log = sorted(log, key=lambda row: row["at"], reverse=True)
        self.page = page
        self.token = token
        self.faults: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []
        self.url = ""

    def answer(self, target: str, authorization: str) -> tuple[int, dict[str, str], bytes]:
        """Status, header fields and body for one request."""
        self.asked.append(target)
        if self.faults:
            status, headers = self.faults.pop(0)
            return status, headers, b"{}"
        path = f"/2010-04-01/Accounts/{stage.ACCOUNT}/Messages.json"
        basic = b64encode(f"{stage.ACCOUNT}:{self.token}".encode()).decode()
        if authorization != f"Basic {basic}":
            return 401, {}, b'{"code": 20003, "message": "Authenticate", "status": 401}'
        parts = urlsplit(target)
        if parts.path != path:
            return 404, {}, b'{"code": 20404, "message": "Not found", "status": 404}'
        return 200, {}, json.dumps(self._page(path, parse_qs(parts.query))).encode()

    def _page(self, path: str, query: dict[str, list[str]]) -> Message:
        after = datetime.fromisoformat(query["DateSent>"][0])
        rows = [row for row in self.log if row["at"] >= after]
        number = int(query.get("Page", ["0"])[0])
        size = min(int(query["PageSize"][0]), self.page)
        shown = rows[number * size : (number + 1) * size]
        further = {"PageSize": size, "Page": number + 1, "DateSent>": query["DateSent>"][0]}
        more = len(rows) > (number + 1) * size
        return {
            "messages": [{k: v for k, v in row.items() if k != "at"} for row in shown],
            "page": number,
            "page_size": size,
            "next_page_uri": f"{path}?{urlencode(further)}" if more else None,
            "first_page_uri": path,
            "previous_page_uri": None,
            "uri": path,
            "start": number * size,
            "end": number * size + len(shown),
        }


@contextmanager
def serving(standin: Standin) -> Iterator[Standin]:
    """The stand-in, answering at ``standin.url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """As Twilio is asked."""
            status, headers, body = standin.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with loopback.serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        standin.url = f"http://127.0.0.1:{port}"
        yield standin
