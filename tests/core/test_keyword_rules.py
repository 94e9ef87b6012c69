"""The rules are data that a person can read and a tenant can extend, with faults that say where."""

from importlib.resources import files

import pytest

from optout_service.core import keyword
from optout_service.core.errors import Misconfigured
from optout_service.core.keyword import Intent, own_reader, parse, read
from optout_service.core.keyword.rulebook import own_grammar, own_languages

TWELVE = {"en", "es", "fr", "de", "pt", "it", "nl", "zh", "ru", "ar", "he", "hi"}
TAGS = [language.tag for language in own_languages()]
OWN = """
[en.keywords]
opt_out = ["no thank you acme"]
opt_in = ["winback"]
[en.words]
message = ["pings"]
off = ["vanish me"]
[eo]
negation = ["next"]
[eo.keywords]
source = "Esperanto, for want of another language that nobody sends in"
opt_out = ["ĉesu"]
[eo.words]
not = ["ne"]
stop = ["ĉesi", "ĉesu"]
give = ["send*"]
message = ["mesaĝo*"]
polite = ["bonvolu"]
"""


def test_the_languages_of_the_reference_have_rules_for_free_text() -> None:
    assert set(TAGS) >= TWELVE
    for language in own_languages():
        if language.tag in TWELVE:
            assert {"stop", "unsub", "contact", "message", "not", "other"} <= set(language.words)


@pytest.mark.parametrize("tag", TAGS)
def test_every_list_has_a_source(tag: str) -> None:
    text = files(keyword).joinpath("rules", f"{tag}.toml").read_text(encoding="utf-8")
    assert text.count("\nsource = ") == text.count(".keywords]") + text.count(".words]")


def test_every_frame_says_why() -> None:
    text = files(keyword).joinpath("rules", "frames.toml").read_text(encoding="utf-8")
    assert text.count("\nwhy = ") == text.count("[[frame]]") == len(own_grammar().frames)


def test_every_class_is_used_by_some_language() -> None:
    used = {name for language in own_languages() for name in language.words}
    assert set(own_grammar().letters) - used <= {
        "figure",
        "loud",
        "noget",
        "nogive",
        "nouse",
    }


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("No thank you, ACME!", Intent.OPT_OUT),
        ("please stop the pings", Intent.OPT_OUT),
        ("vanish me now", Intent.OPT_OUT),
        ("winback", Intent.OPT_IN),
        ("Ĉesu!", Intent.OPT_OUT),
        ("Bonvolu ne sendi mesaĝojn", Intent.OPT_OUT),
        ("ne ĉesu sendi", Intent.NONE),
        ("STOP", Intent.OPT_OUT),
        ("Dejen de mandarme publicidad", Intent.OPT_OUT),
    ],
)
def test_a_tenant_adds_words_and_languages_of_its_own(text: str, intent: Intent) -> None:
    assert own_reader().with_more(parse(OWN, "acme.toml")).read(text).intent is intent


def test_the_words_of_one_tenant_are_nobody_elses() -> None:
    own_reader().with_more(parse(OWN, "acme.toml"))
    assert read("vanish me now").intent is Intent.NONE


def test_a_tenant_cannot_make_anything_else_of_a_per_se_word() -> None:
    theirs = '[en.keywords]\nopt_in = ["stop", "unsubscribe"]\nhelp = ["quit"]'
    reader = own_reader().with_more(parse(theirs, "acme.toml"))
    for word in ("stop", "unsubscribe", "quit"):
        assert reader.read(word).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[en.words]\nstop = x", "acme.toml: it is no TOML: .* line 2"),
        ('[en.words]\nstopp = ["a"]', "acme.toml: en.words.stopp: .* did you mean stop?"),
        ('[en.keyword]\nopt_out = ["a"]', "acme.toml: en.keyword: .* did you mean keywords?"),
        ('[en.words]\nstop = "a"', "acme.toml: en.words.stop: give a list"),
        ('[en.words]\nstop = ["a", 3]', "acme.toml: en.words.stop, item 2: give a word"),
        ('[en.words]\nstop = [" "]', "acme.toml: en.words.stop, item 1: give a word"),
        (f'[en.words]\nstop = ["{"a" * 101}"]', "item 1: it is longer than 100"),
        ('[en]\nnegation = ["after"]', "acme.toml: en.negation: give"),
        ('en = "x"', "acme.toml: en: give a table"),
        ("[en]\nwords = 3", "acme.toml: en.words: give lists"),
        ('[en.words]\nloud = ["a"]', "acme.toml: en.words.loud"),
    ],
)
def test_a_fault_is_named_with_its_file_and_place(text: str, fault: str) -> None:
    with pytest.raises(Misconfigured, match=fault):
        parse(text, "acme.toml")


def test_all_faults_of_a_file_are_told_at_once() -> None:
    with pytest.raises(Misconfigured) as refused:
        parse('[en.words]\nstopp = ["a"]\nmesage = ["b"]', "acme.toml")
    assert len(refused.value.detail.splitlines()) == 2
