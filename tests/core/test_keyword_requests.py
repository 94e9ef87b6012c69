"""Free text: plain requests are opt-outs, doubtful ones go to a person, and a bus stop is neither.

The sentences are of our own making, several a class of the policy (docs/text.md).
"""

import pytest

from optout_service.core.keyword import Intent, read

REQUESTS = {
    "en": [
        "please take me off your list", "don't text me any more", "lose my number",
        "leave me alone",
        "Leave me the hell alone", "remove my number", "no more messages", "quit texting me",
        "I want to be removed", "wrong number, stop texting", "dont txt me", "stop bothering me",
        "I no longer wish to receive promotional emails", "Can you please stop texting me?",
        "Please cancel my order and unsubscribe me", "I already texted STOP three times",
        "stop sending this crap you idiots", "if you don't stop texting me I'll sue",
        "take this number out of your system", "I revoke my consent", "These messages must stop",
        "For the last time: remove me", "Not a customer STOP", "no thanks. please unsubscribe",
        "You don't have permission to contact me", "remove 555-123-4567 from your list",
        "My father passed away, please stop calling his phone", "make it stop",
    ],
    "es": [
        "Por favor, no me envíen más mensajes", "quiero darme de baja",
        "borren mi número de su lista",
        "Dejen de mandarme publicidad", "ya dejen de escribirme", "sáquenme de la lista",
        "no kiero mas mensages", "Me pueden dar de baja?",
    ],
    "fr": [
        "Merci de me retirer de votre liste", "ne m'écrivez plus", "Arrêtez vos pubs svp",
        "je ne veux plus recevoir vos sms", "laissez-moi tranquille", "plus de messages svp",
        "arretez de me harceler", "veuillez ne plus me contacter",
    ],
    "de": [
        "Bitte nehmen Sie mich aus dem Verteiler", "Hört auf, mir zu schreiben!",
        "Ich möchte keine SMS mehr erhalten", "Schickt mir nichts mehr",
        "Bitte nicht mehr anrufen",
        "Lasst mich in Ruhe", "melden Sie mich bitte ab", "Ich moechte keine Nachrichten mehr",
    ],
    "pt": [
        "parem de me mandar mensagens", "não quero mais receber sms", "me tira dessa lista",
        "remova meu número", "chega de propaganda", "nao me ligue mais",
    ],
    "it": [
        "smettetela di mandarmi messaggi", "toglietemi dalla lista", "non scrivetemi più",
        "cancellate il mio numero", "vorrei disiscrivermi", "basta messaggi",
    ],
    "nl": [
        "Stop met mij berichten te sturen", "haal mij van de lijst",
        "stuur me geen berichten meer",
        "schrijf me uit", "laat me met rust", "Ik wil niet meer benaderd worden",
    ],
    "zh": [
        "请不要再给我发短信", "麻烦把我从名单里删除", "别再发广告了", "取消接收短信",
        "請不要再傳訊息給我",
        "别烦我了", "退订谢谢",
    ],
    "ru": [
        "прекратите присылать мне сообщения", "больше не пишите мне",
        "уберите мой номер из базы",
        "Прекратите, пожалуйста, мне звонить", "отпишите меня от рассылки", "отстаньте от меня",
    ],
    "ar": [
        "توقفوا عن إرسال الرسائل", "لا أريد المزيد من الرسائل", "احذفوا رقمي من القائمة",
        "بطلوا تبعتولي رسايل", "ما ابغى رسايلكم", "من فضلك الغي اشتراكي",
    ],
    "he": [
        "תפסיקו לשלוח לי הודעות", "תורידו אותי מהרשימה", "נא להסיר אותי מרשימת התפוצה",
        "אל תשלחו לי יותר", "די עם הספאם", "תעזבו אותי בשקט",
    ],
    "hi": [
        "मुझे और मैसेज मत भेजो", "कृपया मेरा नंबर हटा दें", "message mat bhejo",
        "ye sab band karo yaar", "mujhe list se hata do", "please बंद करो",
    ],
    "tr": ["mesaj atmayın artık", "Lütfen beni listeden çıkarın", "bana yazmayın"],
    "id": ["jangan kirim sms lagi", "hapus nomor saya dari daftar", "tolong hentikan pesan ini"],
    "pl": ["Proszę nie wysyłać mi więcej smsów", "usuńcie mój numer z bazy", "wypiszcie mnie"],
    "uk": ["Не надсилайте мені більше повідомлень", "видаліть мій номер", "відпишіть мене"],
    "ja": ["もうメールを送らないでください", "配信を停止してください", "リストから外してください"],
    "ko": ["문자 그만 보내세요", "제 번호 삭제해 주세요", "수신 거부 부탁드립니다"],
}  # fmt: skip
NOT_REQUESTS = {
    "another object": [
        "cancel my order please", "Please cancel my 3pm appointment", "stop the delivery",
        "remove the second item from my cart", "take me off the 3pm tour",
        "Stop charging my card",
        "please stop my prescription refill", "Quiero cancelar mi pedido", "quita la cebolla",
        "Je veux annuler ma commande", "Retirez les oignons svp", "Bitte den Termin absagen",
        "Ich möchte meine Bestellung stornieren", "quero cancelar meu pedido",
        "vorrei annullare il mio ordine", "Ik wil mijn bestelling annuleren", "请取消我的订单",
        "отмените мой заказ", "Скасуйте, будь ласка, замовлення", "أريد إلغاء طلبي",
        "לבטל את ההזמנה שלי בבקשה", "mera order cancel kar do", "siparişimi iptal edin",
        "batalkan pesanan saya", "注文をキャンセルしたい", "주문 취소해 주세요",
    ],
    "negated": [
        "don't stop", "please don't unsubscribe me", "never stop sending",
        "I don't want to unsubscribe",
        "Don't take me off the list", "No dejen de mandarme ofertas", "no me quiten de la lista",
        "n'arrêtez pas vos offres", "Je ne veux pas me désabonner", "Bitte nicht abmelden",
        "Hört nicht auf zu schreiben", "não quero sair da lista", "non toglietemi dalla lista",
        "Niet afmelden aub", "не отписывайте меня", "不要取消我的预约", "אל תסירו אותי",
        "لا توقفوا العروض", "band mat karo", "수신거부 하지 마세요",
    ],
    "another part of speech, or a name": [
        "Please stop by at five", "The bus stop", "is this the last stop?", "Stop & Shop",
        "non-stop",
        "End of day works", "quit smoking last year", "I can't stop laughing",
        "GameStop closes at 9",
        "¿Dónde está la parada del autobús?", "El fin de semana puedo ir",
        "no puedo parar de reír",
        "où est l'arrêt de bus ?", "Wo ist die Bushaltestelle?", "Am Ende der Woche passt es",
        "onde fica a parada de ônibus", "dov'è la fermata dell'autobus", "waar is de bushalte",
        "停车场在哪里", "где остановка автобуса", "הסרת שיער בלייזר כמה עולה?", "أين محطة الباص",
    ],
    "said of something else": [
        "Call me when it's ready", "don't forget to text me", "I didn't get your text",
        "why did you stop texting me?", "I stopped getting your messages, what happened?",
        "Never mind", "no problem", "I don't text and drive", "who is this?",
        "got no texts today",
        "no me llegó el mensaje", "Ich habe keine Nachricht bekommen", "não recebi a mensagem",
        "message nahi mila", "לא קיבלתי את ההודעה", "لم تصلني الرسالة", "我没收到短信",
    ],
    "automatic": [
        "I am out of the office until Monday.", "Sorry, can't talk right now. Call you later.",
        "I’m driving with Do Not Disturb While Driving turned on. I’ll see your message later.",
        "Estoy manejando, te llamo luego", "Ich bin bis Montag im Urlaub.",
        "自动回复：我不在办公室",
        "Je suis absent jusqu'au 3 mai. Pour ne plus recevoir de réponse, arrêtez de m'écrire.",
    ],
}  # fmt: skip
IN_DOUBT = {
    "limited": [
        "stop the weekend messages but keep order updates", "only text me on Mondays",
        "Stop texting me after 9pm", "don't text me on weekends", "not this week",
        "just email me instead",
        "stop calling, texting is fine",
        "Take me off the wine list but leave me on the cheese one",
        "too many texts", "No me escriban los domingos", "Bitte keine SMS am Wochenende",
        "晚上不要发短信", "не пишите по ночам", "לא לשלוח בשבת", "raat ko message mat bhejo",
    ],
    "conditional": [
        "if you text again I'll unsubscribe", "If this is spam, remove me",
        "One more text and I'm opting out", "si vous continuez je me désabonne",
        "Wenn noch eine SMS kommt, melde ich mich ab",
    ],
    "wavering": [
        "maybe stop", "maybe I'll unsubscribe", "I might opt out",
        "I'm thinking about unsubscribing",
        "tal vez me dé de baja", "stop lol",
    ],
    "a question": [
        "what is STOP", "How do I stop these messages?", "how do I opt out",
        "What happens if I text STOP?",
        "¿Cómo me doy de baja?", "Comment me désabonner ?", "Wie kann ich mich abmelden?",
        "怎么退订",
        "как отписаться?", "איך מסירים אותי?", "كيف ألغي الاشتراك؟", "kaise band kare?",
    ],
    "not said": [
        "wrong number", "You have the wrong number", "no", "not interested", "enough",
        "sick of these texts",
        "this is spam", "I can't unsubscribe", "cancel my subscription", "please start sending",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("language", "text"), [(k, t) for k, row in REQUESTS.items() for t in row])
def test_a_plain_request_is_an_opt_out(language: str, text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT
    assert read(text, language).intent is Intent.OPT_OUT


@pytest.mark.parametrize(
    ("why", "text"), [(k, text) for k, row in NOT_REQUESTS.items() for text in row]
)
def test_what_asks_for_nothing_is_none(why: str, text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize(
    ("why", "text"), [(k, text) for k, row in IN_DOUBT.items() for text in row]
)
def test_what_may_mean_it_goes_to_a_person(why: str, text: str) -> None:
    assert read(text).intent is Intent.REVIEW


@pytest.mark.parametrize(
    "text",
    [
        "please resubscribe me", "can you sign me back up?",
        "quiero volver a recibir los mensajes",
        "Je voudrais recevoir à nouveau vos messages", "подпишите меня обратно", "重新订阅谢谢",
    ],
)  # fmt: skip
def test_a_plain_request_to_come_back_is_an_opt_in(text: str) -> None:
    assert read(text).intent is Intent.OPT_IN


@pytest.mark.parametrize(
    "text",
    [
        "how do I resubscribe? no, stop it", "don't sign me up", "if you sign me up I'll sue",
        "maybe I'll resubscribe", "I never asked you to sign me up",
    ],
)  # fmt: skip
def test_what_speaks_of_coming_back_in_doubt_is_no_opt_in(text: str) -> None:
    assert read(text).intent is not Intent.OPT_IN


@pytest.mark.parametrize("text", ["help please", "I need help", "necesito ayuda", "aidez-moi svp"])
def test_a_plain_cry_for_help_is_help(text: str) -> None:
    assert read(text).intent is Intent.HELP


def test_the_reading_names_the_rule_and_its_language() -> None:
    reading = read("Dejen de mandarme publicidad")
    assert (reading.rule, reading.language) == ("es:stop-verb+message", "es")
    assert read("stop the weekend messages").rule == "en:stop-verb+message?limited"


def test_the_language_that_is_known_decides_between_two_readings() -> None:
    # "sair" and "no" are words of several languages.
    assert read("para de mensagens", "pt").language == "pt"
    assert read("no mas spam", "es").language == "es"
