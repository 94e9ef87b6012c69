"""Taking it back: undo for half an hour, and coming back at any time where the ladder allows it.

Both take an offer that a page of ours made to this reader; without a good one nothing is lifted.
"""

from dataclasses import replace

from flask import Response, request

from optout_service.core import offer
from optout_service.core.evidence import Action, Source
from optout_service.core.offer import Offer
from optout_service.recipients import acts, pages
from optout_service.recipients.acts import Act
from optout_service.recipients.link import Visit
from optout_service.recipients.preferences import show
from optout_service.recipients.view import View, look
from optout_service.store import past, suppressions
from optout_service.web import runtime


def undo(visit: Visit) -> Response:
    """Take back the very acts of the done page, the last one first; then show what stands."""
    rt, view = runtime(), look(visit)
    offered = _offered(view)
    if offered is None or not offered.events:
        return show(view, "late")
    with acts.writing(rt, visit) as connection:
        scopes = past.scopes(connection, view.brand.id, view.forms, offered.events)
        for number in sorted(scopes, reverse=True):
            act = Act(scopes[number], Source.PAGE, "undo", Action.OPT_IN, undoes=number)
            acts.write(rt, connection, visit, act, request.environ)
        standing = suppressions.standing(connection, view.brand.id, view.digest, rt.keys)
    # Somebody else, or another tap, may have asked for the same since: that keeps it.
    kept = any(row.tenant == view.brand.id and row.event in scopes for row in standing)
    return show(replace(view, standing=standing), "late" if kept else "undone")


def come_back(visit: Visit) -> Response:
    """Ask whether it is meant; with the offer of that question, record it."""
    rt, view = runtime(), look(visit)
    again = request.form.get(pages.AGAIN, "")
    scope = view.choices().get(again) if again else visit.narrow
    if scope is None:
        return show(view)
    if not any(row.scope.overlaps(scope) for row in view.standing):
        return show(view, "back")
    if not view.may_come_back(scope):
        return show(view, "refused")
    offered = _offered(view)
    if offered is None or offered.events:
        to_come_back = offer.sign(Offer(view.brand.id, view.digest), rt.keys, at=rt.now())
        return view.page("again.html", scope=scope, again=again, offer=to_come_back)
    with acts.writing(rt, visit) as connection:
        act = Act(scope, Source.PAGE, "again", Action.OPT_IN)
        acts.write(rt, connection, visit, act, request.environ)
        standing = suppressions.standing(connection, view.brand.id, view.digest, rt.keys)
    after = replace(view, standing=standing)
    return show(after, "refused" if after.stopped(scope) else "back")


def _offered(view: View) -> Offer | None:
    rt = runtime()
    text = request.form.get(pages.OFFER, "")
    return offer.find(text, rt.keys, tenant=view.brand.id, digest=view.digest, at=rt.now())
