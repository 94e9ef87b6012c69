"""Where one URL takes all that a provider tells: what a person said, and what became of ours."""

from typing import assert_never

from flask import Response

from optout_service.providers import messaging, reports
from optout_service.providers.inbound import Delivery, Errand, Hook, Inbound, Status
from optout_service.web import runtime


def deliveries(hook: Hook[Delivery]) -> Response:
    """``POST /hooks/<provider>/messages``: record what there is to record, then answer.

    Nothing is said back: these providers send only what is asked of their own APIs.
    """
    match hook.told:
        case Inbound() as inbound:
            messaging.receive(runtime(), inbound, hook.tenants)
        case Status() as status:
            reports.receive(runtime(), status, hook.tenants)
        case Errand() as errand:
            errand.run()
        case None:
            pass
        case _:
            assert_never(hook.told)
    return Response(hook.answers.body(None), content_type=hook.answers.media_type)
