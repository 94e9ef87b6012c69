"""Who answers: never two replies, never none where one is owed. The whole table, walked."""

from itertools import product

import pytest

from optout_service.core.keyword import Intent
from optout_service.providers.inbound import Inbound
from optout_service.providers.replies import (
    WHO_ANSWERS,
    Who,
    is_in_every_language,
    kind_reached,
    we_answer,
    who_answers,
)
from optout_service.store.senders import Sender, SenderKind

# From the providers' pages, by hand: for each kind of sender who answers each of these, without and
# with Advanced Opt-Out. P the provider, N the network, U we.
TEXTS = ("STOP", "StopAll", " cancel ", "START", "unstop", "Yes", "HELP", "info", "Stop!", "arrêt")
TABLE = {
    #                    STOP ALL CANCEL START UNSTOP YES HELP INFO Stop! arrêt
    ("long_code", False): "P P P P P P P P U U",
    ("long_code", True): "P U U P P U P U U U",
    ("messaging_service", False): "P P P P P P P P U U",
    ("messaging_service", True): "P U U P P U P U U U",
    ("toll_free", False): "N U U N N U P P U U",
    ("toll_free", True): "N U U N N U P U U U",
    ("short_code", False): "U U U U U U U U U U",
    ("short_code", True): "U U U U U U U U U U",
    ("whatsapp", False): "U U U U U U U U U U",
    ("whatsapp", True): "U U U U U U U U U U",
    ("rcs", False): "P P P P P P P P U U",
    ("rcs", True): "P U U P P U P U U U",
    ("voice", False): "P P P P P P P P U U",
    ("voice", True): "P U U P P U P U U U",
}
ANSWERER = {"P": Who.PROVIDER, "N": Who.NETWORK, "U": Who.US}
ROWS = [
    (kind, advanced, text, ANSWERER[letter])
    for (kind, advanced), row in TABLE.items()
    for text, letter in zip(TEXTS, row.split(), strict=True)
]


def test_every_kind_of_sender_is_in_the_table() -> None:
    assert set(WHO_ANSWERS) == set(SenderKind)
    assert set(TABLE) == set(product([kind.value for kind in SenderKind], [False, True]))


@pytest.mark.parametrize(("kind", "advanced", "text", "who"), ROWS)
def test_one_answers_and_only_one(kind: str, advanced: bool, text: str, who: Who) -> None:
    assert who_answers(SenderKind(kind), text, None, advanced=advanced) is who


@pytest.mark.parametrize("advanced", [False, True])
@pytest.mark.parametrize("text", [*TEXTS, "please stop", ""])
@pytest.mark.parametrize("matched", [Intent.OPT_OUT, Intent.OPT_IN, Intent.HELP])
@pytest.mark.parametrize("kind", SenderKind)
def test_where_the_provider_has_matched_it_has_answered(
    kind: SenderKind, matched: Intent, text: str, advanced: bool
) -> None:
    assert who_answers(kind, text, matched, advanced=advanced) is Who.PROVIDER


# As the provider's page lists them for a long code; REVOKE and OPTOUT came in 2025.
DEFAULT_WORDS = (
    *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
    *("start", "unstop", "yes"),
    *("help", "info"),
)


@pytest.mark.parametrize("word", DEFAULT_WORDS)
def test_a_long_codes_default_words_are_the_providers(word: str) -> None:
    for spelling in (word, word.upper(), f" {word.title()}\n"):
        assert who_answers(SenderKind.LONG_CODE, spelling, None, advanced=False) is Who.PROVIDER
    for beside in (f"{word}.", f"{word} please", f"{word}{word}"):
        assert who_answers(SenderKind.LONG_CODE, beside, None, advanced=False) is Who.US


CHANNELS = [
    ("long_code", "sms", "long_code"),
    ("long_code", "whatsapp", "whatsapp"),
    ("long_code", "rcs", "rcs"),
    ("messaging_service", "whatsapp", "whatsapp"),
    ("short_code", "rcs", "rcs"),
    ("whatsapp", "sms", "long_code"),
    ("rcs", "sms", "long_code"),
    ("toll_free", "sms", "toll_free"),
    ("toll_free", "messenger", "toll_free"),
]


@pytest.mark.parametrize(("kind", "channel", "reached"), CHANNELS)
def test_a_number_is_on_each_channel_what_it_is_there(
    kind: str, channel: str, reached: str
) -> None:
    sender = Sender(1, "twilio", "AC1", "+15005550006", SenderKind(kind), "*", False)
    assert kind_reached(sender, channel) == reached


def test_a_whatsapp_message_to_a_long_code_is_ours_to_answer() -> None:
    sender = Sender(1, "twilio", "AC1", "+15005550006", SenderKind.LONG_CODE, "*", False)
    texted = Inbound("twilio", "AC1", "SM1", "sms", "+1", "+15005550006", "", "STOP")
    chatted = Inbound("twilio", "AC1", "SM1", "whatsapp", "+1", "+15005550006", "", "STOP")
    assert (we_answer(sender, texted), we_answer(sender, chatted)) == (False, True)


@pytest.mark.parametrize("kind", SenderKind)
@pytest.mark.parametrize("text", ["STOP", "START", "HELP", "please stop", "arrêt"])
def test_nothing_is_ours_to_say_where_an_answer_does_not_reach_the_person(
    kind: SenderKind, text: str
) -> None:
    sender = Sender(1, "telnyx", "p", "+15005550006", kind, "*", False)
    inbound = Inbound("telnyx", "p", "m", "sms", "+1", "+15005550006", "", text, answerable=False)
    assert not we_answer(sender, inbound)


@pytest.mark.parametrize(
    ("text", "known"), [("STOP", True), ("Stop!", True), (" help? ", True), ("arrêt", False)]
)
def test_the_carriers_words_say_nothing_of_a_language(text: str, known: bool) -> None:
    assert is_in_every_language(text) is known
