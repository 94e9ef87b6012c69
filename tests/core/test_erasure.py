"""What is written down of an erasure, and which texts name an address."""

import json

import pytest

from optout_service.core.address import Address
from optout_service.core.erasure import as_line, from_line, is_good, names
from optout_service.core.scope import Kind
from tests.cast import ANA
from tests.store.acts import MAIL, PHONE

KEY = "6ef9c4ff19bb70b357ccee2079ae8107efc6a1d9f2dc5e5ee933e1fe56cda16b"
# Lies beside backups for years: written once, and never made again from the code.
GOLDEN = (
    '{"origin": "https://optout.example.com", "tenant": "acme", '
    '"digest": "00112233445566778899aabbccddeeff", "reviews": [3, 9], "actor": "key:7", '
    '"reason": "letter 12", "at": "2026-01-31T12:00:00.123456Z", '
    f'"key": "{KEY}", '
    '"signature": "EzBLjz6s_CcvBbFrytLwRw8ehiN2f3WhmgsWFx5E8fV2L6DRfUSjGO6CF7UtF6AiMNMrpAfPyuOD'
    '2NG-PGVRBw"}'
)


def test_an_erasures_line_never_changes() -> None:
    read = from_line(GOLDEN)
    assert is_good(read, [KEY])
    assert as_line(read) == GOLDEN


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "bolt"},
        {"digest": "00" * 16},
        {"reviews": [3]},
        {"actor": "key:8"},
        {"reason": "letter 13"},
        {"at": "2026-02-01T12:00:00Z"},
        {"origin": "https://else.example.com"},
    ],
)
def test_a_line_that_was_changed_is_not_ours(change: dict[str, object]) -> None:
    assert not is_good(from_line(json.dumps(json.loads(GOLDEN) | change)), None)


@pytest.mark.parametrize("line", ["", "{}", "[]", "nonsense", GOLDEN[:-1], b"\xff"])
def test_what_is_no_such_line_is_said_to_be_none(line: str | bytes) -> None:
    with pytest.raises(ValueError, match="no such statement"):
        from_line(line)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"It is me, {ANA.email.upper()}.", True),
        (f"<{ANA.email}>", True),
        (f"su{ANA.email}", False),
        (f"{ANA.email}.org", False),
        (f"{ANA.email}, thanks", True),
    ],
)
def test_a_text_names_an_address_only_as_a_whole(text: str, named: bool) -> None:
    assert names(MAIL, text) is named


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("call +1 (415) 555-2671!", True),
        ("+14155552671", True),
        ("+141555526712", False),
        ("nothing", False),
    ],
)
def test_a_number_is_known_however_it_is_spaced(text: str, named: bool) -> None:
    assert names(PHONE, text) is named


def test_a_hash_is_found_in_no_text() -> None:
    assert not names(Address(Kind.PHONE, PHONE.sha256, None), ANA.phone)
