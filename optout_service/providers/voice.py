"""A person is on the phone: who is calling, which key opts out, and the end of the call.

47 CFR 64.1200(b): a prerecorded call says at its start who is calling (1), and within two seconds
how to opt out by a key, which records the number at once and ends the call (3). The same answers
whoever calls the number that a voicemail names: directly, at all hours, without a menu before it or
a person behind it (16 CFR 310.4(b)(1)(v)(B)).

An act that could not be stored is answered 5xx (DESIGN law 9), and Twilio turns to the fallback,
which says so: nobody is told "removed" who is not.
"""

import logging
from collections.abc import Callable
from typing import Final

from flask import Response, request

from optout_service.core.address import Address
from optout_service.core.dialled import read_dialled
from optout_service.core.errors import InvalidAddress
from optout_service.core.scope import Kind
from optout_service.providers import twiml
from optout_service.providers.inbound import Hook
from optout_service.providers.line import Line, Turn, find_line, record
from optout_service.providers.phrases import digit_by_digit, phrases
from optout_service.providers.twilio import MEDIA_TYPE
from optout_service.providers.twiml import HANGUP, Call, response
from optout_service.web import runtime

_PATH: Final = "/hooks/twilio/voice"
_TRIES: Final = 3
"""How often a person is asked in one call. Nobody is kept in a circle."""

_log = logging.getLogger(__name__)


def voice(hook: Hook[Call]) -> Response:
    """``POST /hooks/twilio/voice``: who is calling, and how to opt out. It stores nothing."""
    line = find_line(hook)
    return _twiml(_opening(line, hook.told, _turn(line)))


def opt_out(hook: Hook[Call]) -> Response:
    """``POST /hooks/twilio/voice/opt-out``: a key was pressed, or none.

    On the key: stored first, then said, then the end of the call. On any other: asked again.
    """
    line, call = find_line(hook), hook.told
    turn = _turn(line)
    if call.digits == line.script.opt_out_key or (turn.any_key and call.digits):
        if (address := _number_of(call)) is None:
            return _twiml(_ask_number(line, turn))
        record(hook, line, address, {"key": call.digits})
        return _twiml(_done(turn))
    if _asks_for_other_language(line, call, turn):
        return _twiml(_opening(line, call, turn.in_language(line.other_language)))
    if call.outbound and not call.digits:
        # The message has been heard to its end.
        return _twiml(response(HANGUP))
    return _twiml(_again(line, turn, lambda next_: _opening(line, call, next_)))


def number(hook: Hook[Call]) -> Response:
    """``POST /hooks/twilio/voice/number``: who withholds his number has keyed it in, or has not."""
    line, call = find_line(hook), hook.told
    turn = _turn(line)
    if _asks_for_other_language(line, call, turn):
        return _twiml(_ask_number(line, turn.in_language(line.other_language)))
    try:
        address = read_dialled(call.digits, call.number)
    except InvalidAddress:
        return _twiml(_again(line, turn, lambda next_: _ask_number(line, next_, misread=True)))
    record(hook, line, address, {"key": "the number, keyed in"})
    return _twiml(_done(turn))


def fallback(_: None) -> Response:
    """``POST /hooks/twilio/voice/fallback``: Twilio got no good answer from the other three.

    It asks nothing of the store, which may be what is gone: so it knows nobody, and reads of an
    unproven request no more than in which language to speak and how often it has spoken.
    """
    turn = Turn.in_url(request.form.get("ErrorUrl", ""))
    words = phrases(turn.language)
    if turn.attempt >= _TRIES:
        return _twiml(response(words.say("unavailable"), HANGUP))
    again = _action("opt-out", turn.next(any_key=True))
    return _twiml(response(twiml.gather_key(again, [words.say("again")]), HANGUP))


def _opening(line: Line, call: Call, turn: Turn) -> str:
    if call.machine and not line.script.call_back:
        # A message on voicemail must name a number that leads to the mechanism: without one, none.
        _log.warning("a machine answered, and this sender has no call-back number to leave")
        return response(HANGUP)
    if not call.person:
        return _ask_number(line, turn)
    words = phrases(turn.language)
    said = [words.say("who", "how", brand=line.brand, key=line.script.opt_out_key)]
    said += _other_language(line, turn)
    if call.machine:
        said.append(words.say("call_back", number=digit_by_digit(line.script.call_back)))
    if call.outbound and line.script.message:
        said.append(_message(line))
    return response(twiml.gather_key(_action("opt-out", turn), said), HANGUP)


def _message(line: Line) -> str:
    if line.script.recorded:
        return twiml.play(line.script.message)
    return twiml.say(line.script.message, phrases(line.language).voice)


def _ask_number(line: Line, turn: Turn, *, misread: bool = False) -> str:
    words = phrases(turn.language)
    if misread:
        said = [words.say("not_understood", "number")]
    else:
        said = [words.say("who", "number", brand=line.brand), *_other_language(line, turn)]
    return response(twiml.gather_number(_action("number", turn), said), HANGUP)


def _asks_for_other_language(line: Line, call: Call, turn: Turn) -> bool:
    return call.digits == line.other_key and turn.language != line.other_language


def _other_language(line: Line, turn: Turn) -> list[str]:
    if not line.other_key or turn.language == line.other_language:
        return []
    return [phrases(line.other_language).say("other_language", key=line.other_key)]


def _again(line: Line, turn: Turn, ask: Callable[[Turn], str]) -> str:
    if turn.attempt < _TRIES:
        return ask(turn.next())
    words = phrases(turn.language)
    contact = [words.say("contact", contact=line.contact)] if line.contact else []
    return response(*contact, words.say("nothing"), HANGUP)


def _done(turn: Turn) -> str:
    return response(phrases(turn.language).say("done"), HANGUP)


def _number_of(call: Call) -> Address | None:
    try:
        return Address.parse(Kind.PHONE, call.person)
    except InvalidAddress:
        return None


def _turn(line: Line) -> Turn:
    return Turn.in_query(request.args, line.language)


def _action(path: str, turn: Turn) -> str:
    # Whole, not relative: behind a proxy with a path prefix Twilio sees another path than we do.
    return f"{runtime().settings.public_url}{_PATH}/{path}?{turn.query}"


def _twiml(document: str) -> Response:
    return Response(document, content_type=MEDIA_TYPE)
