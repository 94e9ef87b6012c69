"""What a provider's things are called, by the forms that the provider documents."""

import pytest

from optout_service.core.errors import InvalidRequest
from optout_service.core.sender import FORMS, parse_account, parse_sender, parse_token
from optout_service.store.senders import SenderKind

SERVICE = f"MG{'0f' * 16}"


def test_every_kind_of_sender_has_a_form() -> None:
    assert set(FORMS) == set(SenderKind)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("long_code", "+15005550006", "15005550006"),
        ("long_code", "+4915112345678", "+0915112345678"),
        ("toll_free", "+18005550006", "1-800-555-0006"),
        ("voice", "+15005550006", "+15005550006 "),
        ("whatsapp", "whatsapp:+15005550006", "sms:+15005550006"),
        ("short_code", "54321", "+54321"),
        ("short_code", "123", "12"),
        ("messaging_service", SERVICE, SERVICE[:-1]),
        ("messaging_service", SERVICE.upper(), f"{SERVICE}\n"),
    ],
)
def test_an_address_fits_its_kind(kind: str, good: str, bad: str) -> None:
    assert parse_sender(kind, good) == good
    with pytest.raises(InvalidRequest) as refused:
        parse_sender(kind, bad)
    assert bad not in refused.value.detail


def test_an_account_is_one_of_a_provider_that_we_know() -> None:
    assert parse_account("twilio", f"AC{'0' * 32}")
    for provider, account in (("pigeon", f"AC{'0' * 32}"), ("twilio", SERVICE), ("twilio", "")):
        with pytest.raises(InvalidRequest):
            parse_account(provider, account)


def test_a_token_that_is_refused_is_not_repeated() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_token("s3cret s3cret")
    assert "s3cret" not in str(refused.value)
