"""The chain's bytes are pinned: a ledger of today must verify in ten years."""

from datetime import UTC, datetime

from optout_service.core import instant
from optout_service.core.chain import GENESIS
from optout_service.core.evidence import Action, Reason, Source
from optout_service.core.scope import Kind
from optout_service.store import codes
from optout_service.store.chain import entry_hash

ROW = {
    "tenant": 1,
    "number": 7,
    "action": Action.OPT_OUT,
    "changed": True,
    "digest": bytes(range(16)),
    "kind": Kind.EMAIL,
    "channel": "email",
    "topic": "newsletter",
    "purpose": "marketing",
    "reason": Reason.OPTED_OUT,
    "source": Source.ONE_CLICK,
    "actor": "recipient",
    "occurred_at": datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
    "recorded_at": datetime(2026, 11, 24, 12, 0, 0, 1, tzinfo=UTC),
    "provider": None,
    "account": None,
    "message_id": None,
    "commitment": bytes(range(32)),
}

GOLDEN = "1be49f01b16b62c3d5b858ab004f21cd9d79425559295038e39a64a80e7db223"


def test_an_entrys_hash_never_changes() -> None:
    assert entry_hash(GENESIS, ROW).hex() == GOLDEN


def test_every_part_of_an_entry_is_in_its_hash() -> None:
    plain = entry_hash(GENESIS, ROW)
    for name, value in ROW.items():
        other = {bytes: b"x" * 32, bool: False, int: 9, datetime: datetime(2020, 1, 1, tzinfo=UTC)}
        changed = ROW | {name: other.get(type(value), "other")}
        assert entry_hash(GENESIS, changed) != plain, name
    assert entry_hash(b"x" * 32, ROW) != plain


def test_the_numbers_of_words_never_change() -> None:
    assert codes.CHANNEL == {"*": 0, "email": 1, "sms": 2, "whatsapp": 3, "rcs": 4, "voice": 5}
    assert codes.PURPOSE == {"*": 0, "marketing": 1, "transactional": 2}
    assert codes.KIND == {"email": 1, "phone": 2}
    assert codes.ACTION == {"opt_out": 1, "opt_in": 2}
    assert codes.REASON == {
        "opted_out": 1,
        "complaint": 2,
        "bounced": 3,
        "blocked": 4,
        "reassigned": 5,
        "legal": 6,
    }
    assert codes.SOURCE == {
        "one_click": 1,
        "page": 2,
        "mail": 3,
        "text": 4,
        "call": 5,
        "provider": 6,
        "api": 7,
        "import": 8,
        "operator": 9,
    }
    assert codes.WHY == {"doubtful": 1, "unknown_sender": 2, "damaged_link": 3, "mail": 4}
    assert codes.REVIEW_DECISION == {"opt_out": 1, "not_opt_out": 2}


def test_a_time_comes_back_as_it_went_in() -> None:
    at = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
    assert instant.to_micros(at) == 1795521600123456
    assert instant.from_micros(instant.to_micros(at)) == at
