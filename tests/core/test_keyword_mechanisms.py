"""What reads a request that no list foresaw: slips, objects named elsewhere, emphasis, consent."""

import pytest

from optout_service.core.keyword import Intent, read


@pytest.mark.parametrize(
    "text",
    [
        "no mroe texts", "pls remove my numbr from ur lst", "bite keine nachrichten mehr",
        "non vogilo piu ricevere messagi", "nao qero mais mensajens", "kiero darme de vaja",
        "непресылайте мне больше сообщеня",
    ],
)  # fmt: skip
def test_words_typed_badly_are_guessed_where_all_of_them_make_a_request(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "no more tests", "no Morgan texts", "opt for it", "cancel my ordr", "посылка не пришла",
        "ik heb geen bericht gehad", "borré el archivo", "não preciso de recibo",
        "bitte die Tür nicht zumachen",
    ],
)  # fmt: skip
def test_what_a_guess_does_not_explain_is_no_request(text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize("text", ["siar", "توفق", "opt oit"])
def test_a_guess_with_no_sure_word_beside_it_goes_to_a_person(text: str) -> None:
    assert read(text).intent is Intent.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        "Who gave you my number?? Delete it now", "wrong number pls remove",
        "My number got recycled. Please delete it", "Not interested, please remove",
        "I never agreed to a message a day. Please stop them.",
        "Kein Interesse, bitte löschen",
    ],
)  # fmt: skip
def test_the_object_of_a_request_may_stand_in_another_clause(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text", ["remove it", "Who moved my order? Cancel it", "Wrong size on my order, remove it"]
)
def test_an_object_that_is_not_known_leaves_a_request_in_doubt_at_most(text: str) -> None:
    assert read(text).intent is not Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "non usate più questo numero", "schickt mir keinen Mist mehr",
        "je vous interdis de me contacter",
        "i dont shop here anymore pls unsubscribe", "diese Nummer nicht mehr verwenden",
    ],
)  # fmt: skip
def test_what_is_forbidden_is_not_wanted(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


def test_where_two_languages_read_contraries_a_person_decides() -> None:
    # "envio" is a shipment in Spanish, and the sending in Portuguese.
    assert read("cancela o envio").intent is Intent.REVIEW
    assert read("cancela o envio", "pt").intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text", ["I already told you twice. Take. Me. Off. The. List.", "No. More. Texts."]
)
def test_sentences_of_one_word_are_one_sentence(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "I am withdrawing my consent to be contacted at this number",
        "I hereby revoke any consent to be texted", "retiro la autorización",
        "אני מבטל את ההסכמה שלי", "मैं अपनी सहमति वापस लेता हूं",
    ],
)  # fmt: skip
def test_consent_withdrawn_in_any_words_is_an_opt_out(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "I never said unsubscribe!", "Je n'ai jamais demandé à être désinscrite !",
        "Ne me désabonnez surtout pas !", "non ho mai chiesto di essere cancellato",
        "Auf keinen Fall abmelden!", "不是要退訂，只是想改地址",
    ],
)  # fmt: skip
def test_who_did_not_ask_to_go_is_not_taken_off(text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize(
    "text",
    [
        "Den de baja la garantía extendida de mi lavadora", "mi hija, dar de baja la natación",
        "Cancellate il mio vecchio indirizzo, ora sto in via Roma 8", "light band karo",
        "EMI ka auto debit band karna hai", "den Dauerauftrag bitte stoppen",
        "désinscrire mon fils du trapèze", "Stopp, ich hab die falsche Größe bestellt",
        "unsubscribe? no way, love you guys", "mi togli una curiosità?",
        "der Kurs ist voll, streicht mich von der Warteliste",
        "Können wir den Vertrag zum 5. beenden", "hab mich beim Training abgemeldet",
        "suspendre mon abonnement au kiosque", "delete my last message, wrong chat",
    ],
)  # fmt: skip
def test_an_end_to_something_else_is_no_opt_out(text: str) -> None:
    assert read(text).intent is not Intent.OPT_OUT


@pytest.mark.parametrize(
    "text",
    [
        "How do I get off this list, who do I talk to", "does replying stop even do anything",
        "once the baby is born please stop sending these", "no calls please, text only",
        "À moins d'une vraie promo, désinscrivez-moi", "a não ser que tenha desconto, me tirem",
        "my wife says I should opt out, I'll see", "non di notte per favore",
        "un message par mois oui, tous les jours non", "mejor por correo", "kinda over these texts",
        "¿pierdo mis puntos si me doy de baja?", "wenn das nicht aufhört melde ich mich ab",
        "Keep the restock alerts, drop everything else", "could you send fewer of these?",
    ],
)  # fmt: skip
def test_a_limit_a_condition_or_a_question_goes_to_a_person(text: str) -> None:
    assert read(text).intent is Intent.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        "This number does not receive messages", "lees mijn berichten niet", "message nahi mila",
        "Ich bin bis 5. Januar im Urlaub und lese keine Nachrichten.", "не получала сообщения",
        "ye message aapke liye nahi tha", "Our office is closed. We will respond shortly.",
    ],
)  # fmt: skip
def test_messages_that_are_not_read_or_did_not_come_are_no_request(text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize(
    "text",
    [
        "Opt in please", "voltar por favor", "Alta por favor", "anmelden bitte",
        "turn my texts back on please", "Me di de baja sin querer, ¿me vuelven a apuntar?",
        "remettez moi sur la liste", "mujhe dobara list me daal do", "把我加回名单",
        "¿me pueden suscribir de nuevo?", "per ongeluk afgemeld, zet me terug", "riattivatemi",
    ],
)  # fmt: skip
def test_a_keyword_with_courtesy_or_a_plain_request_to_come_back_is_an_opt_in(text: str) -> None:
    assert read(text).intent is Intent.OPT_IN


@pytest.mark.parametrize(
    "text",
    [
        "I don't want to hear from you again", "stop, do not add me back", "不记得订阅过",
        "I don't want to get your texts again", "yes please", "never sign me up again",
        "End of summer sale? count me in", "don't re-enroll me",
    ],
)  # fmt: skip
def test_a_word_of_leaving_beside_it_is_no_opt_in(text: str) -> None:
    assert read(text).intent is not Intent.OPT_IN


@pytest.mark.parametrize(
    "text",
    [
        "Can I get some info on this texting program?", "i need help with these text messages",
        "wer schreibt mir hier, Hilfe", "quem é? ajuda", "这是什么？帮助", "подробнее пожалуйста",
    ],
)  # fmt: skip
def test_a_request_for_help_may_ask_who_this_is(text: str) -> None:
    assert read(text).intent is Intent.HELP


@pytest.mark.parametrize("text", ["renactivate my texts", "rihattivatemi gli sms"])
def test_a_slip_makes_no_contrary_of_a_word(text: str) -> None:
    assert read(text).intent is not Intent.OPT_OUT
