"""For whoever runs the service, or asks what it is: is it up, can it be read, does it track."""

from typing import Final

import msgspec
from flask import Response

from optout_service.store import seal
from optout_service.web import Face, Proof, Route, problem, runtime


def healthz(_: None) -> Response:
    """The process is up. Asks nothing of the store: a probe must not restart us for its sake."""
    return _json({"status": "up"})


def readyz(_: None) -> Response:
    """The store can be read, and the canary row opens under our keys; else 503."""
    rt = runtime()
    with rt.reading() as connection:
        seal.verify(connection, rt.keys)
    return _json({"status": "ready"})


def gpc(_: None) -> Response:
    """We honour Global Privacy Control (W3C, GPC, 4.2): who sends it leaves no IP, no user agent.

    It is no opt-out of messages: that takes a tap.
    """
    return _json({"gpc": True, "lastUpdate": "2026-11-24"})


def _json(body: dict[str, str | bool]) -> Response:
    return Response(msgspec.json.encode(body), content_type="application/json")


_NOBODY: Final = Proof("none: says nothing about anybody", lambda: None)

FACE: Final = Face(
    name="plumbing",
    prefixes=("/healthz", "/readyz", "/.well-known/"),
    routes=(
        Route("/healthz", ("GET",), _NOBODY, healthz),
        Route("/readyz", ("GET",), _NOBODY, readyz),
        Route("/.well-known/gpc.json", ("GET",), _NOBODY, gpc),
    ),
    refuse=problem,
)
