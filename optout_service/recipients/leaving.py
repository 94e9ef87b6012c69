"""The page's buttons that stop something, and the page that says exactly what was stopped."""

from collections.abc import Sequence

from flask import Response, request

from optout_service.core import offer
from optout_service.core.evidence import Reason, Source
from optout_service.core.offer import Offer
from optout_service.core.scope import Scope
from optout_service.recipients import acts, pages
from optout_service.recipients.acts import Act
from optout_service.recipients.link import Visit
from optout_service.recipients.preferences import show
from optout_service.recipients.view import View, look
from optout_service.runtime import Connection, Runtime
from optout_service.store import past
from optout_service.store.ledger import Outcome
from optout_service.web import runtime

_BY_LINK = (Source.PAGE, Source.ONE_CLICK)


def topic(visit: Visit) -> Response:
    """The large button: what the message was about."""
    return _leave(look(visit), [visit.narrow])


def everything(visit: Visit) -> Response:
    """The second button, and "I never want anything": all marketing, on every channel.

    Never more than marketing: nobody means to lose a receipt or a new password by it.
    """
    return _leave(look(visit), [visit.wide])


def chosen(visit: Visit) -> Response:
    """The checkboxes: what is ticked is stopped. Nothing ticked, or anything odd: ask again."""
    view = look(visit)
    choices = view.choices()
    ticked = dict.fromkeys(request.form.getlist(pages.STOP))
    if not ticked or not ticked.keys() <= choices.keys():
        return show(view, "nothing")
    return _leave(view, [choices[value] for value in ticked])


def _leave(view: View, scopes: Sequence[Scope]) -> Response:
    # The view was read first: once the act is on the disk, nothing may fail that would say it is
    # not.
    rt, visit = runtime(), view.visit
    events: list[int] = []
    undoable: set[int] = set()
    with acts.writing(rt, visit) as connection:
        for scope in scopes:
            act = Act(scope, Source.PAGE, "page")
            outcome = acts.write(rt, connection, visit, act, request.environ)
            events.append(outcome.event)
            undoable |= {outcome.event, *_first_taps(rt, connection, view, outcome)}
    undo = Offer(view.brand.id, view.digest, tuple(sorted(undoable)))
    return view.page(
        "done.html",
        scopes=scopes,
        whole=visit.wide in scopes or (visit.narrow in scopes and not view.wider),
        receipt=", ".join(f"{view.brand.slug}-{event}" for event in events),
        undo=offer.sign(undo, rt.keys, at=rt.now()),
        minutes=int(offer.VALID_FOR.total_seconds()) // 60,
    )


def _first_taps(rt: Runtime, connection: Connection, view: View, outcome: Outcome) -> Sequence[int]:
    """Of an act that changed nothing: the same acts before it, if that was the reader just now.

    Who taps twice, or goes back and taps again, and then undoes, means all of the taps. What was
    stopped at another time, through another door or for another reason, is not what a tap did, and
    stays.
    """
    there = outcome.suppression
    if outcome.changed or there is None or there.reason is not Reason.OPTED_OUT:
        return ()
    if there.source not in _BY_LINK or rt.now() - there.since >= offer.VALID_FOR:
        return ()
    return past.repeats(
        connection, view.brand.id, view.forms, there.scope, _BY_LINK, since=there.event
    )
