"""Who answers: never two replies, never none where one is owed."""

import pytest

from optout_service.core.keyword import Intent
from optout_service.providers.replies import reply_to, we_answer
from optout_service.store.senders import Sender, SenderKind


def sender(kind: SenderKind, *, advanced: bool = False) -> Sender:
    return Sender(1, "twilio", "AC1", "+15005550006", kind, "*", advanced)


# kind, text, whether the reply is ours; from Twilio's pages on each kind of sender.
TABLE = [
    ("long_code", "STOP", False),
    ("long_code", " stop ", False),
    ("long_code", "OptOut", False),
    ("long_code", "REVOKE", False),
    ("long_code", "Start", False),
    ("long_code", "YES", False),
    ("long_code", "HELP", False),
    ("long_code", "Stop!", True),
    ("long_code", "opt out", True),
    ("long_code", "ARRET", True),
    ("messaging_service", "STOP", False),
    ("messaging_service", "arrêt", True),
    ("toll_free", "STOP", False),
    ("toll_free", "UNSTOP", False),
    ("toll_free", "CANCEL", True),
    ("toll_free", "YES", True),
    ("short_code", "STOP", True),
    ("short_code", "HELP", True),
    ("whatsapp", "STOP", True),
]


@pytest.mark.parametrize(("kind", "text", "ours"), TABLE)
def test_somebody_answers_and_only_one(kind: str, text: str, ours: bool) -> None:
    assert we_answer(sender(SenderKind(kind)), text, "") is ours


@pytest.mark.parametrize("kind", SenderKind)
def test_where_advanced_opt_out_has_matched_it_has_answered(kind: SenderKind) -> None:
    assert not we_answer(sender(kind, advanced=True), "STOP", "STOP")
    assert we_answer(sender(kind, advanced=True), "please stop", "")


def test_a_confirmation_names_the_brand_and_the_way_back() -> None:
    text = reply_to(Intent.OPT_OUT, "Acme", "")
    assert text is not None
    assert text.startswith("Acme: ")
    assert "START" in text


def test_help_names_brand_contact_frequency_rates_and_stop() -> None:
    text = reply_to(Intent.HELP, "Acme", "help@acme.example")
    assert text is not None
    for part in ("Acme", "help@acme.example", "frequency", "rates", "STOP"):
        assert part in text


def test_nothing_is_said_where_nothing_was_asked() -> None:
    assert reply_to(Intent.NONE, "Acme", "") is None
