"""What holds for any text at all."""

from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.keyword import Intent, own_reader, read
from optout_service.core.keyword.normal import fold
from optout_service.core.keyword.rulebook import own_grammar, own_languages

WORDS = sorted(
    {
        word
        for each in own_languages()
        for row in each.words.values()
        for word in row
        if "_" not in word
    }
)
own_reader()  # It is made once, and takes longer than a text may.
noise = st.text(st.characters(categories=["P", "S", "Z", "Cf"]), max_size=6)
speech = st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=12).map(" ".join)


@given(st.text() | speech, st.none() | st.text(max_size=5) | st.sampled_from(["es", "pt-BR", "zh"]))
def test_any_text_can_be_read(text: str, language: str | None) -> None:
    reading = read(text, language)
    assert reading.intent in Intent
    assert reading.rule


@given(st.text() | speech)
def test_a_text_is_read_the_same_whatever_was_read_before(text: str) -> None:
    assert own_reader().read(text) == read(text)
    assert read(text) == read(text)


@given(st.text())
def test_a_normal_form_is_its_own_normal_form(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(speech)
def test_case_does_not_matter_to_a_request(text: str) -> None:
    # In a text that is in capitals as a whole, no word is louder than another.
    if read(text.lower()).intent is Intent.OPT_OUT:
        assert read(text.lower().upper().lower()).intent is Intent.OPT_OUT


@given(noise, noise)
def test_what_is_no_letter_says_nothing(before: str, after: str) -> None:
    assert read(before + after).intent in (Intent.NONE, Intent.OPT_OUT, Intent.REVIEW)
    assert read(f"{before} {after}").intent is not Intent.OPT_IN


def test_no_word_of_ours_is_an_opt_in_by_itself_but_the_keywords() -> None:
    grammar = own_grammar()
    assert {frame.name for frame in grammar.frames if frame.says is Intent.OPT_IN} == {"resume"}
