"""R12: everybody at every door, by every method; and what was refused has changed nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.scope import Kind
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import holds, reviews
from optout_service.store.metadata import metadata
from tests import stage
from tests.api.asking import Asker, path_of
from tests.api.test_auth import send
from tests.cast import ANA
from tests.faults.figures import Figure, Size
from tests.faults.ground import Ground
from tests.providers.security import PLAYERS, Sent
from tests.security.callers import Caller, callers
from tests.security.doors import Door, doors, undeclared
from tests.stage import Cast
from tests.store.acts import doubt

_NOT_COUNTED: Final = {"visit"}
"""Openings of links are counted, off the request's path, whoever opens them."""
_OPENS: Final = {200, 201, 204, 409}
"""409: it could be done, and was done before."""
_RESTOCKED: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("DELETE", "/v1/texts"): ("PUT", "/v1/texts"),
}
_BOUNDED: Final = {"nothing", "acme's admin", "the platform"}
"""Who tries, in the suite, the methods that a path does not take."""

Rows = Mapping[str, frozenset[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One caller at one door, and how that has to end."""

    door: Door
    caller: Caller

    @property
    def refused(self) -> int:
        """The status; 0: the door opens."""
        return self.caller.refused_at(self.door)

    def __str__(self) -> str:
        return f"{self.caller.name} at {self.door.method} {self.door.rule}"


class Matrix:
    """The whole service, with a tenant that has one of everything, and a second one."""

    def __init__(self, rt: Runtime, cast: Cast) -> None:
        self.rt, self.cast = rt, cast
        self.app: Flask = create_app(rt)
        self.ask = Asker(self.app.test_client(), cast.keys)
        with rt.writing() as connection:
            for tenant in (0, cast.acme):
                reviews.open_review(connection, doubt(tenant), at=rt.now(), keys=rt.keys)
            held = Address.parse(Kind.EMAIL, "held@example.com")
            holds.place(connection, cast.acme, held, "case 7", by="x", at=rt.now(), keys=rt.keys)
        address = Address.parse(Kind.EMAIL, ANA.email)
        self.link = rt.links.mint(Claim(cast.acme, "email", address, "newsletter"))
        self.callers = callers(rt, cast)
        self.unsigned = {sent.path: (sent.body, sent.content_type) for sent in _unsigned(rt)}

    def cells(self, size: Size) -> Iterator[Cell]:
        """All of them; in the suite, not everybody tries methods that there are not."""
        for door in doors(self.app):
            for caller in self.callers:
                full = size is Size.FULL or door.takes is not None
                if full or caller.name in _BOUNDED:
                    yield Cell(door, caller)

    def broken(self, cells: Iterable[Cell]) -> Iterator[str]:
        """The cells that did not end as declared, and what changed although it may not.

        First whoever is refused, then who acts for another tenant, then all others: so every thing
        of Acme's is still there when others reach for it.
        """
        parts: tuple[list[Cell], list[Cell], list[Cell]] = ([], [], [])
        for cell in cells:
            theirs = cell.caller.acts_for in ("bolt", "platform")
            parts[0 if cell.refused else 1 if theirs else 2].append(cell)
        before = rows(self.rt)
        yield from self._tried(parts[0])
        yield from (f"{name} was changed by who was refused" for name in changed(before, self.rt))
        before = rows(self.rt, self.cast.acme)
        named = [cell for cell in parts[1] if not cell.door.rule.startswith(("/u/", "/v1/tenants"))]
        yield from self._tried(named)
        after = changed(before, self.rt, self.cast.acme)
        yield from (f"Acme's {name} was changed for somebody else" for name in after)
        yield from self._tried([cell for cell in parts[1] if cell not in named] + parts[2])

    def _tried(self, cells: Iterable[Cell]) -> Iterator[str]:
        for cell in cells:
            self._restock(cell)
            status = self.answer(cell).status_code
            if not (status == cell.refused or (not cell.refused and status in _OPENS)):
                wanted = cell.refused or "an answer"
                yield f"{cell}: {status} instead of {wanted}"

    def _restock(self, cell: Cell) -> None:
        if cell.refused:
            return
        route = (cell.door.method, cell.door.rule)
        if route == ("DELETE", "/v1/senders/<provider>/<account>/<address>"):
            one = {"provider": "twilio", "account": stage.ACCOUNT, "kind": "long_code"}
            self.ask.post("/v1/senders", one | {"address": stage.LONG_CODE}, by="admin")
        elif route in _RESTOCKED:
            send(self.ask, *_RESTOCKED[route], None, **_headers(cell, ""))

    def answer(self, cell: Cell) -> TestResponse:
        """Ask, as this caller asks there."""
        method, rule = cell.door.method, cell.door.rule
        path = self._path(rule)
        if rule.startswith("/v1/") and method != "HEAD" and cell.door.takes is not None:
            return send(self.ask, method, rule, None, **_headers(cell, path))  # type: ignore[no-any-return]
        shown = cell.caller.headers_at(path)
        if method == "POST" and rule in self.unsigned:
            body, media_type = self.unsigned[rule]
            return self.ask.client.post(path, data=body, content_type=media_type, headers=shown)
        data = cell.caller.form if method == "POST" else None
        return self.ask.client.open(path, method=method, headers=shown, data=data)

    def _path(self, rule: str) -> str:
        for variable, value in (("<rest:token>", self.link), ("/docs/<name>", "/docs/docs.js")):
            rule = rule.replace(variable, value)
        return path_of(rule)


def _unsigned(rt: Runtime) -> Iterator[Sent]:
    """What the other providers post, by path: the matrix leaves their proof out."""
    for build in (PLAYERS["telnyx"], PLAYERS["aws"]):
        player = build()
        body = player.body("STOP", "m-1", player.accounts[0], rt.now())
        yield player.sign(body, "nobody's", rt.now())


def held(ground: Ground, size: Size) -> Figure:
    """Everybody at every door."""
    settings = stage.settings_for(ground.database(), checkpoint_dir=str(ground.folder / "marks"))
    rt = Runtime.set_up(settings, stage.KEYS)
    try:
        matrix = Matrix(rt, stage.set_up(rt))
        cells = list(matrix.cells(size))
        broken = (*(f"{route} has no row" for route in undeclared(matrix.app)),)
        broken += tuple(matrix.broken(cells))
    finally:
        rt.close()
    refused = sum(cell.refused > 0 for cell in cells)
    rules = len({cell.door.rule for cell in cells})
    return Figure(
        f"{len(cells)} combinations of {rules} paths, {len(matrix.callers)} callers and all "
        f"methods: {refused} refused as declared, and nothing changed by them",
        broken,
    )


def rows(rt: Runtime, tenant: int | None = None) -> Rows:
    """Every row of every table, or one tenant's, by table."""
    found: dict[str, frozenset[tuple[Any, ...]]] = {}
    with rt.reading() as connection:
        for name, table in metadata.tables.items():
            owner = table.c.get("tenant", table.c.get("id") if name == "tenant" else None)
            if name in _NOT_COUNTED or (tenant is not None and owner is None):
                continue
            query = select(table) if tenant is None else select(table).where(owner == tenant)
            found[name] = frozenset(tuple(row) for row in connection.execute(query))
    return found


def changed(before: Rows, rt: Runtime, tenant: int | None = None) -> list[str]:
    """The tables that are not as they were."""
    after = rows(rt, tenant)
    return [name for name, held in before.items() if after[name] != held]


def _headers(cell: Cell, path: str) -> dict[str, str]:
    shown = cell.caller.headers_at(path)
    return {name.replace("-", "_"): value for name, value in shown.items()}
