"""Reactions, quotations and signatures are not the person's words."""

import pytest

from optout_service.core.keyword import Intent, read

OURS = "Acme: 20% off this week. Reply STOP to opt out"


@pytest.mark.parametrize(
    "around",
    [
        "Liked “{}”", "Loved “{}”", "Laughed at “{}”", "Emphasized “{}”", "Questioned “{}”",
        "Disliked “{}”", "Reacted 👍 to “{}”", "👍 to “{}”", "Removed a like from “{}”",
        'Liked "{}',
        "A aimé « {} »", "A réagi par 👍 à « {} »", "Le gustó “{}”", "Reaccionó con 👍 a “{}”",
        "Gefällt „{}“", "Hat „{}“ mit „Gefällt mir“ markiert", "Curtiu “{}”", "Amou “{}”",
        "Ha messo Mi piace a “{}”", "Vond “{}” leuk", "Polubiono „{}”", "Понравилось «{}»",
        "赞了“{}”", "对“{}”表示喜欢", "「{}」を“いいね！”と評価しました", "“{}”에 좋아요 반응함",
        "אהב/ה את „{}”", "أعجبه «{}»", "“{}” ögesini beğendi",
    ],
)  # fmt: skip
def test_a_reaction_to_our_own_line_says_nothing(around: str) -> None:
    assert read(around.format(OURS)).intent is Intent.NONE


@pytest.mark.parametrize(
    "text",
    [
        f"> {OURS}", f"On Mon, Nov 24, 2026 at 9:00 Acme wrote:\n> {OURS}", OURS, f"Re: {OURS}",
        f"-----Original Message-----\n{OURS}", f"> {OURS}\n\nThanks, see you then!",
        f"El lun, 24 nov 2026, Acme escribió:\n{OURS}", f"Am 24.11. schrieb Acme:\n{OURS}",
        f'I got this: "{OURS}"', "Responda BAJA para cancelar", "Antworten Sie mit STOP",
    ],
)  # fmt: skip
def test_a_quotation_of_our_own_line_says_nothing(text: str) -> None:
    assert read(text).intent is Intent.NONE


@pytest.mark.parametrize(
    "text",
    [
        f"stop texting me\n\n> {OURS}", f"> {OURS}\nSTOP",
        f"No more of this please, stop\nOn Monday Acme wrote:\n{OURS}",
        "Re: STOP", f"Re: {OURS}\nplease take me off your list",
        f'"{OURS}" - take me off your list',
        '"please take me off your list"', "Unsubscribe\n--\nJo Canary\nAcme Ltd",
        "STOP\nEnviado desde mi iPhone",
        "please stop texting me\nVon meinem iPhone gesendet",
        "stop https://acme.example/dont-stop",
        f"Loved “{OURS}”\nstop texting me",
        f"FW: {OURS}\n---\nno more of these please",
        f"On Monday Acme wrote:\n> {OURS}\n\nplease remove me",
        f"On Monday Acme wrote:\nSale!\n{OURS}\n\nplease remove me",
        "You wrote: 'Your free car wash is waiting.' Stop texting me",
        'אל תשלחו לי דוא"ל יותר, תודה לכם מראש',
    ],
)  # fmt: skip
def test_what_was_added_to_a_quotation_is_read(text: str) -> None:
    assert read(text).intent is Intent.OPT_OUT
