"""A database with something of everything, and all that its readers say of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from optout_service.core.address import Address
from optout_service.core.clearance import Clearance
from optout_service.core.evidence import Action, Authority
from optout_service.core.scope import Kind, Scope
from optout_service.evidence import erasures
from optout_service.rotation import pepper
from optout_service.rotation.pepper import Progress, Rotated
from optout_service.runtime import Runtime
from optout_service.store import (
    book,
    chain,
    changes,
    feed,
    holds,
    idempotency,
    past,
    reviews,
    suppressions,
    tenants,
)
from optout_service.store.changes import Place
from optout_service.store.idempotency import Answer, Slot
from tests.stage import KEYS, Cast
from tests.store.acts import MAIL, MARKETING, PHONE, act, doubt, message

RING = replace(KEYS, covers=(b"q" * 31 + b"2",))
LONGER = replace(KEYS, covers=(*RING.covers, b"r" * 31 + b"3"))
HELD_ONLY = Address.parse(Kind.EMAIL, "held@example.com")
PEOPLE = [
    *(Address.parse(Kind.EMAIL, f"r{number}@example.com") for number in range(3)),
    MAIL,
    PHONE,
    Address.parse(Kind.EMAIL, f"sha256:{'5a' * 32}"),
    HELD_ONLY,
]
EVERYWHERE = PEOPLE[::4]
"""Whom the platform suppresses for every tenant."""
SMS = Scope("sms", "*", "marketing")


def of(address: Address) -> Scope:
    """What an address can be asked about."""
    return MARKETING if address.kind is Kind.EMAIL else SMS


def fill(rt: Runtime, cast: Cast) -> None:
    """Opt-outs of two tenants and the platform, a return, doubts, a hold, a stored answer."""
    with rt.writing() as connection:
        # Of whom this one's ledger names, the platform's book alone may know the address.
        tenants.change(connection, "bolt", address_book=False)
        for number, address in enumerate(PEOPLE[:-1]):
            scope = of(address)
            rt.record(connection, act(cast.acme, address=address, scope=scope))
            if number % 3 == 0:
                rt.record(connection, act(cast.bolt, address=address, scope=scope))
            if address in EVERYWHERE:
                everywhere = {"scope": scope, "authority": Authority.PLATFORM}
                rt.record(connection, act(0, address=address, **everywhere))
        rt.record(connection, act(cast.acme, Action.OPT_IN, address=PEOPLE[1], scope=MARKETING))
        rt.record(connection, act(cast.acme, address=MAIL, provider_message=message(1)))
        at, keys = rt.now(), rt.keys
        reviews.open_review(connection, doubt(cast.acme), at=at, keys=keys)
        reviews.open_review(connection, doubt(cast.bolt), at=at, keys=keys)
        holds.place(connection, cast.acme, HELD_ONLY, "Case 7", by="x", at=at, keys=keys)
        slot, answer = Slot(cast.acme, 1, "key", b"f" * 32), Answer(201, b"{}")
        idempotency.save(connection, slot, answer, keys.digest(MAIL), at=at, keys=keys)


@contextmanager
def process(rt: Runtime, keys: Any = RING) -> Iterator[Runtime]:
    """Another process over the same database."""
    made = Runtime.build(rt.settings, keys)
    try:
        yield made
    finally:
        made.close()


class Killed(Exception):
    """Stands for the end of the process."""


def rotate(rt: Runtime, *, transactions: int | None = None, step: int = 1) -> Rotated | None:
    """Rotate; None: it was killed after so many transactions of the mover."""
    left = transactions

    def tell(_: Progress) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left <= 0:
                raise Killed

    try:
        return pepper.rotate(rt, tell=tell, step=step)
    except Killed:
        return None


def say(rt: Runtime, cast: Cast) -> dict[str, Any]:
    """What every reader says, in words that no rotation changes."""
    found: dict[str, Any] = {}
    whom = {address: rt.keys.digest(address) for address in PEOPLE}
    for tenant in (cast.acme, cast.bolt):
        for address in PEOPLE:
            verdict = rt.check(tenant, address, of(address))
            found[f"check {tenant} {address}"] = (_sorted(verdict.matches), verdict.as_of)
        many, as_of = rt.check_many(tenant, [*whom.values()], MARKETING)
        found[f"batch {tenant}"] = ({key: _sorted(rows) for key, rows in many.items()}, as_of)
        with rt.snapshot(tenant, MARKETING) as snapshot:
            found[f"scrub {tenant}"] = (snapshot.probe(b"".join(whom.values())), snapshot.as_of)
    with rt.reading_one_state() as connection:
        for tenant in (0, cast.acme, cast.bolt):
            found |= _told(rt, connection, tenant, whom)
    return found


def _told(rt: Runtime, connection: Any, tenant: int, whom: dict[Address, bytes]) -> dict[str, Any]:
    keys = rt.keys
    found: dict[str, Any] = {"chain": chain.verify(connection, tenant, keys)}
    page, _ = suppressions.page(connection, tenant, keys, limit=100)
    found["page"] = [(row.suppression, row.address) for row in page]
    found["feed"] = [
        (event.number, event.address)
        for event in feed.page(connection, tenant, after=0, limit=100, keys=keys)
    ]
    told = changes.after(connection, tenant, Place(), Place(), limit=100, keys=keys)
    found["changes"] = [
        (keys.replica_id(one.digest), one.sha256, _sorted(one.stands)) for one in told.touched
    ]
    found["holds"] = holds.all_of(connection, tenant, keys)
    found["reviews"] = reviews.page(
        connection, tenant, state=reviews.ReviewState.ALL, at=rt.now(), after=0, limit=9, keys=keys
    )[0]
    shop = tenants.get_by_id(connection, tenant)
    for address, digest in whom.items():
        forms = keys.forms(digest)
        found[f"of {address}"] = (
            _sorted(suppressions.standing(connection, tenant, digest, keys)),
            feed.history(connection, tenant, address, keys),
            chain.entries(connection, tenant, digest, keys, upto=99, limit=99),
            book.holds(connection, tenant, forms),
            holds.is_held(connection, tenant, forms),
            past.scopes(connection, tenant, forms, range(99)),
        )
        if address is MAIL and tenant:
            found[f"to erase of {address}"] = erasures.look(rt, shop, address)
    return {f"{name} {tenant}": value for name, value in found.items()}


def _sorted(rows: Any) -> list[Any]:
    return sorted(rows, key=repr)


def clearance(rt: Runtime, tenant: int, address: Address) -> Clearance:
    """One that was given to a tenant for an address now."""
    digest = rt.belief.regime.stored(rt.keys.digest(address))
    return Clearance(tenant, digest, MARKETING, 1, rt.now(), rt.now())
