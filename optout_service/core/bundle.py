"""A bundle of evidence: all that is held about one address, and what is needed to check it.

It is a JSON document that is signed as a whole, and each event in it carries the bytes of its place
in the hash chain. So whoever holds the file can verify it, without us and without the database.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import msgspec

from optout_service.core import chain, checkpoint
from optout_service.core.checkpoint import Checkpoint
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.instant import to_micros
from optout_service.core.signing import Signatures, is_signed

FORMAT: Final = "optout evidence 1"

HOW_TO_VERIFY: Final = (
    "signature: Ed25519 (RFC 8032) by the key in `key`, over the line `optout evidence 1`, a line "
    "feed, and this document without `signature` as JSON in UTF-8, names sorted, no spaces. "
    "Compare `key` with one that the service has published.",
    "each event: hash = SHA-256(previous + metadata in UTF-8 + commitment); the hex digits stand "
    "for bytes.",
    "each event whose evidence was not erased or left out: commitment = SHA-256(salt + private in "
    "UTF-8).",
    "each event: what it says is what its metadata says; times are microseconds since 1970 there.",
    "checkpoint: signed in the same way under `optout checkpoint 1`. The ledger itself is held "
    "against it by: optout evidence verify",
    "all of it at once: optout evidence verify --bundle FILE",
)


class Covered(msgspec.Struct, frozen=True):
    """A scope; ``tenant`` is a slug, ``platform`` for what binds all tenants."""

    tenant: str
    channel: str
    topic: str
    purpose: str


class Stands(msgspec.Struct, frozen=True):
    """A suppression that stands, and on whose word it may be lifted."""

    reason: Reason
    source: Source
    since: datetime
    event: int
    scope: Covered
    liftable_by: list[str]


class Happened(msgspec.Struct, frozen=True):
    """An event, and its place in the chain: bytes are hex digits.

    ``evidence`` is what ``private`` says, for reading. All three of ``evidence``, ``salt`` and
    ``private`` are null where they were erased, or left out since the reader may not see them.
    """

    event: int
    action: Action
    changed: bool
    scope: Covered
    reason: Reason
    source: Source
    actor: str
    occurred_at: datetime
    recorded_at: datetime
    provider: str | None
    message_id: str | None
    evidence: dict[str, str] | None
    hash: str
    previous: str
    metadata: str
    commitment: str
    salt: str | None
    private: str | None


class Ledger(msgspec.Struct, frozen=True):
    """Where the tenant's ledger stood when the bundle was made."""

    events: int
    head: str


class Fingerprints(msgspec.Struct, frozen=True):
    """What names the keys of the service without telling them."""

    pepper: str
    encryption: list[str]
    signing: list[str]


class Bundle(msgspec.Struct, frozen=True):
    """The document. ``masked``: address and evidence were kept from whoever asked for it.

    ``complete``: whether ``events`` is the whole history. ``held``: whether the address is in the
    tenant's address book; ``digest``: what it is stored under.
    """

    format: str
    origin: str
    made_at: datetime
    tenant: str
    tenant_number: int
    tenant_name: str
    kind: str
    address: str
    digest: str
    masked: bool
    held: bool
    complete: bool
    stands: list[Stands]
    events: list[Happened]
    ledger: Ledger
    checkpoint: Checkpoint | None
    fingerprints: Fingerprints
    how_to_verify: list[str]
    key: str = ""
    signature: str = ""


def sign(signatures: Signatures, tenant: int, bundle: Bundle) -> dict[str, Any]:
    """The document of a bundle, signed with the tenant's newest key."""
    document: dict[str, Any] = msgspec.to_builtins(bundle)
    del document["key"], document["signature"]
    return signatures.sign_document(tenant, FORMAT, document)


def faults(document: Mapping[str, Any], trusted: Collection[str] | None = None) -> list[str]:
    """What is wrong with a document that is said to be a bundle; nothing: it is as it was made.

    ``trusted``: the public keys (hex) that may have signed it; None: any, and the reader compares.
    """
    try:
        bundle = msgspec.convert(document, Bundle)
    except msgspec.ValidationError:
        return ["It is no bundle of evidence of a format that is known here."]
    if bundle.format != FORMAT:
        return ["It is no bundle of evidence of a format that is known here."]
    found = []
    if not is_signed(document, FORMAT, trusted):
        found.append("The signature is not good, or by none of the trusted keys.")
    for event in bundle.events:
        found += (f"Event {event.event}: {fault}" for fault in _event_faults(bundle, event))
    return found + list(_chain_faults(bundle)) + list(_checkpoint_faults(bundle, trusted))


def _event_faults(bundle: Bundle, event: Happened) -> Iterator[str]:
    try:
        previous, commitment = bytes.fromhex(event.previous), bytes.fromhex(event.commitment)
        salt = None if event.salt is None else bytes.fromhex(event.salt)
        said = json.loads(event.metadata)
        private = None if event.private is None else json.loads(event.private)
    except (ValueError, RecursionError):
        yield "its place in the chain cannot be read."
        return
    if chain.entry(previous, event.metadata, commitment).hex() != event.hash:
        yield "its hash is not that of what it says."
    if said != _saying(bundle, event, said):
        yield "what it says is not what its metadata says."
    if (salt is None) != (event.private is None) or (event.private is None) != (
        event.evidence is None
    ):
        yield "a part of its evidence is missing."
    elif salt is not None and event.private is not None:
        if chain.commitment(salt, event.private.encode()) != commitment:
            yield "its evidence is not the one that was recorded."
        elif private != event.evidence:
            yield "its evidence does not say what was recorded."


def _saying(bundle: Bundle, event: Happened, said: Any) -> list[Any]:
    """The metadata as the readable parts have it; the provider's account is not among them."""
    account = said[16] if isinstance(said, list) and len(said) == 18 else None
    scope = event.scope
    return [
        chain.VERSION,
        bundle.tenant_number,
        event.event,
        event.action,
        event.changed,
        bundle.digest,
        bundle.kind,
        scope.channel,
        scope.topic,
        scope.purpose,
        event.reason,
        event.source,
        event.actor,
        to_micros(event.occurred_at),
        to_micros(event.recorded_at),
        event.provider,
        account,
        event.message_id,
    ]


def _chain_faults(bundle: Bundle) -> Iterator[str]:
    for one, following in pairwise(bundle.events):
        if following.event <= one.event:
            yield f"Event {following.event} is out of order."
        elif following.event == one.event + 1 and following.previous != one.hash:
            yield f"Event {following.event} does not follow from the one before it."
    yield from _mark_faults(bundle, bundle.ledger.events, bundle.ledger.head, "the ledger's head")
    if bundle.events and bundle.events[-1].event > bundle.ledger.events:
        yield "There are events past the ledger's head."


def _checkpoint_faults(bundle: Bundle, trusted: Collection[str] | None) -> Iterator[str]:
    mark = bundle.checkpoint
    if mark is None:
        return
    if not checkpoint.is_good(mark, trusted):
        yield "The checkpoint's signature is not good, or by none of the trusted keys."
    yield from _mark_faults(bundle, mark.seq, mark.head, "the checkpoint")
    if mark.seq > bundle.ledger.events:
        yield "The ledger was behind its checkpoint: cut, or put back to an older state."


def _mark_faults(bundle: Bundle, number: int, head: str, name: str) -> Iterator[str]:
    marked = [event for event in bundle.events if event.event == number]
    if any(event.hash != head for event in marked):
        yield f"Event {number} has another hash than {name} says."
