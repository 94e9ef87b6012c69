"""The provider's door: Twilio's signature in, TwiML or nothing out."""

from typing import Final

from flask import Response

from optout_service.core.errors import OptOutError
from optout_service.providers import hooks, messaging, reports, voice
from optout_service.web import Face, Route


def _refuse(error: OptOutError, status: int) -> Response:
    """The status is all that a provider acts on; a body of text would be sent out as a message."""
    return Response(b"", status=status, content_type="text/xml; charset=utf-8")


FACE: Final = Face(
    name="providers",
    prefixes=("/hooks/",),
    routes=(
        Route("/hooks/twilio/messages", ("POST",), hooks.TWILIO_MESSAGE, messaging.messages),
        Route("/hooks/twilio/status", ("POST",), hooks.TWILIO_STATUS, reports.statuses),
        Route("/hooks/twilio/events", ("POST",), hooks.TWILIO_EVENTS, reports.events),
        Route("/hooks/twilio/voice", ("POST",), hooks.TWILIO_CALL, voice.voice),
        Route("/hooks/twilio/voice/opt-out", ("POST",), hooks.TWILIO_CALL, voice.opt_out),
        Route("/hooks/twilio/voice/number", ("POST",), hooks.TWILIO_CALL, voice.number),
        Route("/hooks/twilio/voice/fallback", ("POST",), hooks.NOBODY, voice.fallback),
    ),
    refuse=_refuse,
)
