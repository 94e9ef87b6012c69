"""Whole messages that are one word: a missed STOP is grave, a silenced customer too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optout_service.core import keyword
from optout_service.core.keyword import Intent, read

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
        "", "   ", "🙏", "...", "Please stop by at five", "The bus stop", "yes please, I'd love to",
        "don't stop", "weekend", "ending", "canceled", "nope", "helpful", "information", "stops",
        "Thanks!", "s" * 5000, "I can't stop laughing",
    ],
)  # fmt: skip
def test_anything_else_is_no_keyword(text: str) -> None:
    assert read(text) == keyword.NOTHING


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


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert read(text).intent in Intent
