"""A bundle of evidence: whoever changes a word of it is found out, its signer too."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from optout_service.core import bundle, chain
from optout_service.core.bundle import Bundle, Covered, Fingerprints, Happened, Ledger, Stands
from optout_service.core.checkpoint import Checkpoint
from optout_service.core.checkpoint import sign as sign_checkpoint
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.scope import Kind
from optout_service.core.signing import Signatures
from tests.core.test_token import NEW, OLD

OURS = Signatures(OLD)
AT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
SCOPE = Covered("acme", "email", "newsletter", "marketing")


def happened(number: int, previous: bytes) -> Happened:
    """An opt-out of Ana's with a statement."""
    private, salt = '{"statement": "Genug für heute."}', bytes(range(number, number + 16))
    commitment = chain.commitment(salt, private.encode())
    row = {
        "tenant": 1,
        "number": number,
        "action": Action.OPT_OUT,
        "changed": True,
        "digest": bytes(range(16)),
        "kind": Kind.EMAIL,
        "channel": "email",
        "topic": "newsletter",
        "purpose": "marketing",
        "reason": Reason.OPTED_OUT,
        "source": Source.MAIL,
        "actor": "recipient",
        "occurred_at": AT,
        "recorded_at": AT,
        "provider": "twilio",
        "account": "AC1",
        "message_id": "SM1",
    }
    metadata = chain.metadata(row)
    return Happened(
        event=number,
        action=Action.OPT_OUT,
        changed=True,
        scope=SCOPE,
        reason=Reason.OPTED_OUT,
        source=Source.MAIL,
        actor="recipient",
        occurred_at=AT,
        recorded_at=AT,
        provider="twilio",
        message_id="SM1",
        evidence={"statement": "Genug für heute."},
        hash=chain.entry(previous, metadata, commitment).hex(),
        previous=previous.hex(),
        metadata=metadata,
        commitment=commitment.hex(),
        salt=salt.hex(),
        private=private,
    )


def made() -> dict[str, Any]:
    """A bundle of two events, the second the ledger's head and its checkpoint."""
    first = happened(1, chain.GENESIS)
    second = happened(2, bytes.fromhex(first.hash))
    mark = Checkpoint("https://optout.example.com", "acme", 2, second.hash, AT)
    return bundle.sign(
        OURS,
        1,
        Bundle(
            format=bundle.FORMAT,
            origin="https://optout.example.com",
            made_at=AT,
            tenant="acme",
            tenant_number=1,
            tenant_name="Acme Shop",
            kind="email",
            address="jo@example.com",
            digest=bytes(range(16)).hex(),
            masked=False,
            held=True,
            complete=True,
            stands=[Stands(Reason.OPTED_OUT, Source.MAIL, AT, 1, SCOPE, ["admin"])],
            events=[first, second],
            ledger=Ledger(2, second.hash),
            checkpoint=sign_checkpoint(OURS, 1, mark),
            fingerprints=Fingerprints("aa", ["bb"], ["cc"]),
            how_to_verify=[],
        ),
    )


GOOD = made()
# In somebody's files: written once, and never made again from the code.
SIGNATURE = "DAdSmP-mKKj-i6EDdMqy986BeY_GyOH_ze1pfahj5KRB3i5-303FlWoolyAV_cZI3iuuU4yscMXx32Up0Rk2Dg"


def signed(document: dict[str, Any], by: Signatures = OURS) -> dict[str, Any]:
    """The document under a new signature: what its maker could have done."""
    unsigned = {n: v for n, v in document.items() if n not in ("key", "signature")}
    return by.sign_document(1, bundle.FORMAT, unsigned)


def test_a_bundles_bytes_never_change() -> None:
    assert GOOD["signature"] == SIGNATURE


def test_a_bundle_as_it_was_made_has_no_fault() -> None:
    assert bundle.faults(GOOD) == []
    assert bundle.faults(GOOD, OURS.public_keys(1)) == []


def test_a_key_that_is_not_trusted_is_a_fault() -> None:
    assert len(bundle.faults(GOOD, OURS.public_keys(2))) == 2, "the bundle's and the checkpoint's"
    rotated = signed(GOOD, Signatures(NEW))
    assert bundle.faults(rotated, Signatures(NEW).public_keys(1)) == []


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every single value in a document."""
    if not isinstance(value, dict | list):
        return [path]
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    return [leaf for name, part in parts for leaf in leaves(part, (*path, name))]


def changed(document: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    """A copy in which one value is another."""
    other = copy.deepcopy(document)
    place: Any = other
    for step in path[:-1]:
        place = place[step]
    before = place[path[-1]]
    match before:
        case bool():
            place[path[-1]] = not before
        case int():
            place[path[-1]] = before + 1
        case None:
            place[path[-1]] = "x"
        case _:
            place[path[-1]] = f"{'1' if before[:1] == '0' else '0'}{before[1:]}"
    return other


def test_no_value_of_it_can_be_changed() -> None:
    for path in leaves(GOOD):
        assert bundle.faults(changed(GOOD, path)), path


def test_no_event_in_it_can_be_changed_even_by_who_signs_it() -> None:
    """The chain binds the service itself: an event is what was recorded, or it shows."""
    for path in leaves(GOOD):
        if path[0] == "events" and path[-1] != "tenant":
            assert bundle.faults(signed(changed(GOOD, path))), path


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"events": GOOD["events"][::-1]}, "out of order"),
        ({"ledger": {"events": 1, "head": GOOD["events"][0]["hash"]}}, "past the ledger's head"),
        ({"ledger": {"events": 2, "head": "00" * 32}}, "another hash than the ledger's head"),
        ({"digest": "00" * 16}, "not what its metadata says"),
        ({"format": "optout evidence 2"}, "no bundle of evidence"),
        ({"events": [GOOD["events"][0] | {"private": None}]}, "missing"),
        ({"events": [GOOD["events"][0] | {"private": "["}]}, "cannot be read"),
        ({"events": [GOOD["events"][0] | {"metadata": "[]"}]}, "not that of what it says"),
        ({"events": [GOOD["events"][0] | {"previous": "zz"}]}, "cannot be read"),
        ({"events": 7}, "no bundle of evidence"),
    ],
    ids=str,
)
def test_a_fault_is_told(change: dict[str, Any], fault: str) -> None:
    assert fault in " ".join(bundle.faults(signed(GOOD | change)))


def test_evidence_that_was_erased_or_left_out_is_no_fault() -> None:
    without = dict.fromkeys(("evidence", "salt", "private"))
    document = GOOD | {"events": [event | without for event in GOOD["events"]]}
    assert bundle.faults(signed(document)) == []


def test_what_is_no_bundle_is_told_and_no_crash() -> None:
    for document in ({}, {"format": bundle.FORMAT}, {"key": "x", "signature": []}):
        assert bundle.faults(document)
