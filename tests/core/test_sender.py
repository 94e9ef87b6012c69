"""What a provider's things are called, by the forms that the provider documents."""

import pytest

from optout_service.core.errors import InvalidRequest
from optout_service.core.sender import KINDS, PROVIDERS, parse_account, parse_sender, parse_token
from optout_service.store.senders import SenderKind

SERVICE = f"MG{'0f' * 16}"


PROFILE = "0f512bda-ae1e-4597-8e11-e5f5686b97d3"
TOPIC = "arn:aws:sns:us-west-2:123456789012:two-way"
PUBLIC_KEY = f"{'A' * 43}="
PASSWORD = "0123456789abcdef-_ABCDEF"


def test_every_kind_of_sender_has_a_form() -> None:
    assert set(KINDS) == set(SenderKind)


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
    assert parse_sender("twilio", kind, good) == good
    with pytest.raises(InvalidRequest) as refused:
        parse_sender("twilio", kind, bad)
    assert bad not in refused.value.detail


@pytest.mark.parametrize(
    ("provider", "account", "token", "service"),
    [
        ("twilio", f"AC{'0' * 32}", "s3cret", SERVICE),
        ("telnyx", PROFILE, PUBLIC_KEY, PROFILE),
        ("aws", TOPIC, PASSWORD, f"pool-{'0f' * 16}"),
    ],
)
def test_each_provider_has_forms_of_its_own(
    provider: str, account: str, token: str, service: str
) -> None:
    assert parse_account(provider, account) == account
    assert parse_token(provider, token) == token
    assert parse_sender(provider, "messaging_service", service) == service
    for other in set(PROVIDERS) - {provider}:
        with pytest.raises(InvalidRequest):
            parse_account(other, account)
        with pytest.raises(InvalidRequest):
            parse_sender(other, "messaging_service", service)


@pytest.mark.parametrize(
    ("provider", "account"),
    [
        ("pigeon", f"AC{'0' * 32}"),
        ("twilio", SERVICE),
        ("twilio", ""),
        ("telnyx", PROFILE.upper()),
        ("telnyx", f"{PROFILE}\n"),
        ("aws", "arn:aws:sqs:us-west-2:123456789012:two-way"),
        ("aws", "arn:aws:sns:us-west-2@evil.example:123456789012:x"),
        ("aws", "arn:aws:sns:us-west-2.evil.example-2:123456789012:x"),
        ("aws", f"arn:aws:sns:us-west-2:123456789012:{'t' * 30}"),
    ],
)
def test_an_account_is_one_of_a_provider_that_we_know(provider: str, account: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_account(provider, account)
    assert not account or account not in refused.value.detail


@pytest.mark.parametrize(
    ("provider", "token"),
    [
        ("twilio", "s3cret s3cret"),
        ("twilio", ""),
        ("telnyx", PUBLIC_KEY[1:]),
        ("aws", PASSWORD[1:]),
        ("aws", f"{PASSWORD}@evil.example"),
    ],
)
def test_a_token_that_is_refused_is_not_repeated(provider: str, token: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse_token(provider, token)
    assert not token or token not in str(refused.value)
