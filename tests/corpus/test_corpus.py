"""The corpus is what its README says, and what was not fitted to is read well enough."""

from collections import Counter

import pytest

from optout_service.core.keyword import Intent
from tests.corpus import Half, half_of, load
from tests.corpus.measure import Score, by_language, score, without_english

MESSAGES = [message for half in Half for message in load(half)]
CLASSES = {
    "angry",
    "auto-reply",
    "chatter",
    "conditional",
    "doubtful",
    "help",
    "homograph",
    "keyword",
    "keyword-courtesy",
    "keyword-decorated",
    "negation",
    "opt-in",
    "other-object",
    "part-of-speech",
    "plain-request",
    "question",
    "quoted",
    "scope-limited",
    "tapback",
    "typo",
}


def test_it_is_large_and_many_languages_are_in_it() -> None:
    assert len(MESSAGES) >= 600
    assert len({message.language for message in MESSAGES}) >= 12


def test_no_text_is_in_it_twice() -> None:
    texts = Counter(message.text for message in MESSAGES)
    assert [text for text, times in texts.items() if times > 1] == []


@pytest.mark.parametrize("half", Half)
def test_a_text_is_in_the_half_that_its_digest_says(half: Half) -> None:
    assert [message.text for message in load(half) if half_of(message.text) is not half] == []


@pytest.mark.parametrize("half", Half)
def test_every_intent_and_every_class_is_in_both_halves(half: Half) -> None:
    assert {message.intent for message in load(half)} == set(Intent)
    assert {message.tests for message in load(half)} == CLASSES


@pytest.fixture(scope="module", params=[False, True], ids=["language unknown", "language told"])
def heldout(request: pytest.FixtureRequest) -> Score:
    """What was read in the half that nobody fits rules to."""
    return score(load(Half.HELDOUT), told=request.param)


def test_english_opt_outs_are_read(heldout: Score) -> None:
    assert by_language(heldout)["en"].recall >= 0.97


def test_opt_outs_in_other_languages_are_read(heldout: Score) -> None:
    assert without_english(heldout).recall >= 0.92


def test_no_language_is_left_behind(heldout: Score) -> None:
    parts = by_language(heldout).items()
    recalls = {name: part.recall for name, part in parts if len(part.opt_outs) >= 20}
    assert {name: recall for name, recall in recalls.items() if recall < 0.85} == {}


def test_hardly_anybody_is_silenced_who_did_not_ask(heldout: Score) -> None:
    assert heldout.false <= 0.01


def test_nobody_who_asks_to_stop_or_hesitates_is_read_as_joining(heldout: Score) -> None:
    leaving = (Intent.OPT_OUT, Intent.REVIEW)
    read_as = [intent for message, intent in heldout.pairs if message.intent in leaving]
    assert Intent.OPT_IN not in read_as
