"""The provider's door: its proof in; an answer in its own words, or next to nothing, out."""

from typing import Final

from flask import Response

from optout_service.core.errors import MethodNotAllowed, OptOutError
from optout_service.providers import (
    aws,
    deliveries,
    hooks,
    mail,
    messaging,
    reports,
    telnyx,
    twilio,
    twilio_events,
    twiml,
    voice,
)
from optout_service.web import Face, Route


def _refuse(error: OptOutError, status: int) -> Response:
    """The status is all that a provider acts on; a body of text would be sent out as a message."""
    answer = Response(b"", status=status, content_type="text/xml; charset=utf-8")
    if status == 401:
        # Amazon SNS gives the password in its subscription's URL only to who asks for it so.
        answer.headers["WWW-Authenticate"] = 'Basic realm="hooks"'
    if isinstance(error, MethodNotAllowed):
        # RFC 9110, 15.5.6: a 405 says what there is instead.
        answer.headers["Allow"] = "POST"
    return answer


_TWILIOS: Final = "Twilio's signature"
_MESSAGE: Final = hooks.proven(_TWILIOS, twilio.form_hook(twilio.parse_inbound))
_STATUS: Final = hooks.proven(_TWILIOS, twilio.form_hook(twilio.parse_status))
_EVENTS: Final = hooks.proven(_TWILIOS, twilio_events.HOOK)
_CALL: Final = hooks.proven(_TWILIOS, twilio.form_hook(twiml.parse_call))
_TELNYX: Final = hooks.proven("Telnyx's signature", telnyx.HOOK)
_AWS: Final = hooks.proven(
    "the subscription's password and SNS's signature", aws.hook(hooks.sns_host)
)

FACE: Final = Face(
    name="providers",
    prefixes=("/hooks/",),
    routes=(
        Route("/hooks/aws/messages", ("POST",), _AWS, deliveries.deliveries),
        Route("/hooks/mail/inbound", ("POST",), mail.INBOUND, mail.inbound),
        Route("/hooks/telnyx/messages", ("POST",), _TELNYX, deliveries.deliveries),
        Route("/hooks/twilio/messages", ("POST",), _MESSAGE, messaging.messages),
        Route("/hooks/twilio/status", ("POST",), _STATUS, reports.statuses),
        Route("/hooks/twilio/events", ("POST",), _EVENTS, reports.events),
        Route("/hooks/twilio/voice", ("POST",), _CALL, voice.voice),
        Route("/hooks/twilio/voice/opt-out", ("POST",), _CALL, voice.opt_out),
        Route("/hooks/twilio/voice/number", ("POST",), _CALL, voice.number),
        Route("/hooks/twilio/voice/fallback", ("POST",), hooks.NOBODY, voice.fallback),
    ),
    refuse=_refuse,
)
