"""Whole messages that are one word: a missed STOP is grave, a silenced customer too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core.keyword import NOTHING, Intent, read

PER_SE = ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"]
TWILIO = {
    Intent.OPT_OUT: "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT",
    Intent.OPT_IN: "START UNSTOP YES",
    Intent.HELP: "HELP INFO",
}
# The reference lists, written out: a word that disappears from the data file is missed here.
OPT_OUTS = {
    "en": "stop stopall unsubscribe cancel end quit revoke optout opt-out remove unsub stop2quit",
    "fr": "stop arret arrêt arrete desabonner désabonnement désinscription",
    "es": "stop baja alto parar desuscribir",
    "pt": "stop sair parar pare descadastrar",
    "de": "stop stopp abmelden abbestellen",
    "it": "stop cancellami disiscrivi",
    "nl": "stop afmelden",
    "zh": "td 退订 退訂 拒收 取消订阅",
    "he": "הסר הסירו",
    "ru": "стоп отписаться",
    "ar": "توقف ستوب إلغاءالاشتراك",
    "hi": "bandkaro बंदकरो",
    "id": "berhenti",
    "ms": "nyahlanggan",
    "ja": "配信停止",
    "ko": "수신거부",
}
OPT_INS = {
    "en": "start unstop yes subscribe join optin resume",
    "fr": "activer",
    "es": "alta",
    "pt": "voltar",
    "de": "anmelden",
    "it": "iscrivimi",
    "zh": "重新订阅",
    "ru": "подписаться",
    "hi": "chalukaro चालूकरो shurukaro",
}
HELPS = {
    "en": "help info",
    "fr": "aide",
    "es": "ayuda",
    "pt": "ajuda",
    "de": "hilfe",
    "it": "aiuto",
    "zh": "帮助",
    "ru": "помощь",
    "ar": "مساعدة",
}
REVIEWS = {
    "en": "no mute halt enough pause wrongnumber notinterested",
    "fr": "annuler nonmerci",
    "es": "cancelar basta borrame",
    "pt": "cancelar chega",
    "de": "ende keininteresse",
    "it": "basta annulla",
    "zh": "取消 不用发了",
    "he": "ביטול",
    "ru": "нет",
    "ar": "إلغاء خلاص كفاية",
    "hi": "dnd nahichahiye",
    "tr": "iptal istemiyorum",
}
TABLE = [
    (intent, language, word)
    for intent, lists in (
        (Intent.OPT_OUT, OPT_OUTS),
        (Intent.OPT_IN, OPT_INS),
        (Intent.HELP, HELPS),
        (Intent.REVIEW, REVIEWS),
    )
    for language, words in lists.items()
    for word in words.split()
]


@pytest.mark.parametrize(("intent", "language", "word"), TABLE)
def test_every_keyword_of_the_table_is_read(intent: Intent, language: str, word: str) -> None:
    assert read(word).intent is intent
    assert read(word, language).intent is intent


@pytest.mark.parametrize("intent", TWILIO)
def test_every_default_keyword_of_twilio_is_read(intent: Intent) -> None:
    for word in TWILIO[intent].split():
        assert read(word).intent is intent


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "Stop.", " stop!!! ", "“Stop”", "ＳＴＯＰ", "s t o p", "S.T.O.P.", "stop\u200b",
        "🛑 STOP 🛑", "stop\n", "\ufeffStop", "st\u00adop", "STOP✋🏽", "*stop*", "stop\ufe0f",
        "OPT-OUT", "Opt Out", "opt\u2011out", "Opt_out", "STOP ALL", "Stop-All!", "ARRÊT",
        "Arre\u0302t",
    ],
)  # fmt: skip
def test_how_it_is_written_does_not_matter(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


noise = st.text(" .,!?;:*'\"()-_\u200b\u200d\ufeff\u00a0🛑🙏🏽\n", max_size=4)


@given(st.sampled_from(PER_SE), noise, noise, st.data())
def test_a_per_se_word_in_any_clothes_is_an_opt_out(
    word: str, before: str, after: str, data: st.DataObject
) -> None:
    letters = [data.draw(st.sampled_from([c, c.upper()])) for c in word]
    inner = data.draw(st.sampled_from(["", "\u200b", " ", "."]))
    assert read(f"{before}{inner.join(letters)}{after}").intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "STOPPP", "sttop", "stoooop", "STOP STOP STOP", "stop stop", "stopstop", "[stop]",
        "(STOP)",
        "STOP please", "pls stop thanks", "STOP!!! idiots", "Stop. Thank you.", "ok stop", "🛑🛑",
        "STOP por favor", "unsubscribe bitte", "Stop svp", "stop danke", "bhai stop",
        "STOP - Sent from my iPhone", "Stop\n\nJohn", "STOP -John", "Cancel\n\nJohn Smith",
        "ЅТОР",
        "stpo", "sotp", "dtop", "st0p", "unsubcribe", "unsuscribe", "UNSUBSCIRBE",
        "usubscribe please",
        "🅂🅃🄾🄿", "ｓｔｏｐ ｐｌｅａｓｅ", "\u202estop\u202c", "STOP\r\n",
    ],
)  # fmt: skip
def test_what_stands_around_a_keyword_and_a_slip_of_the_finger_do_not_matter(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text", ["shop", "step", "top", "spot", "stoop", "stomp", "Stacy", "atop", "stops", "stopped"]
)
def test_another_word_is_no_slip_of_the_finger(text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize(
    "text", ["", "   ", "🙏", "...", "?", "s" * 5000, "Thanks!", "information"]
)
def test_where_nothing_is_said_nothing_is_read(text: str) -> None:
    assert read(text) == NOTHING


@pytest.mark.parametrize(
    "text", ["weekend", "ending", "canceled", "helpful", "yes please, I'd love"]
)
def test_a_keyword_inside_another_word_or_sentence_is_none(text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize(
    "text", ["start please", "START!!", "s t a r t", "start start", "Unstop, ta"]
)
def test_courtesy_leaves_a_start_what_it_is(text: str) -> None:
    assert read(text).intent is Intent.OPT_IN


@pytest.mark.parametrize("text", ["yess", "yes please", "stsrt", "jion", "satrt", "resumee"])
def test_an_opt_in_in_doubt_is_none(text: str) -> None:
    assert read(text).intent is not Intent.OPT_IN


@pytest.mark.parametrize("language", ["es", "de-AT", "xx", "", None])
@pytest.mark.parametrize("word", PER_SE)
def test_a_per_se_word_is_an_opt_out_in_every_language(word: str, language: str | None) -> None:
    reading = read(word, language)
    assert (reading.intent, reading.rule) == (Intent.OPT_OUT, f"per_se:en:{word}")


def test_the_language_chooses_among_the_lists() -> None:
    assert read("td", "zh").language == "zh"
    assert read("TD").language == "en"
    assert read("basta", "it-IT").rule == "review:it:basta"


def test_accents_make_another_word_only_where_they_are_letters() -> None:
    assert read("बद करो").intent is Intent.NONE
    assert read("désabonnement").rule == read("desabonnement").rule


def test_the_longest_text_is_read_from_its_beginning() -> None:
    assert read("please stop texting me. " + "ha" * 10**6).intent is Intent.OPT_OUT
    assert read("a. " * 10**6 + "stop").intent is Intent.NONE
