"""What stands, for a replica: recipient by recipient, by the SHA-256 of their addresses."""

from typing import Final

from flask import Response

from optout_service.api import answers, auth, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import changes as bodies
from optout_service.core import cursor as cursors
from optout_service.core.errors import Malformed
from optout_service.core.scope import Channel, Scope
from optout_service.store import changes
from optout_service.store.changes import Place, Touched
from optout_service.web import runtime

_ANYTHING: Final = Scope.parse(Channel.EMAIL)


def list_changes(caller: Caller) -> Response:
    """Who was touched since the cursor, and all that stands for them now, the platform's too.

    Whoever puts each page in the place of what it had of those recipients, and goes on until `more`
    is false, has what a check would read. A new topic takes over what stands for the topic `-`,
    of the tenant's own. A cursor that fits no longer is `malformed`: start again without one.
    """
    asked = binding.query(bodies.ChangesQuery)
    tenant = auth.own_tenant(caller)
    own, platform = _places(asked.cursor)
    rt = runtime()
    with rt.reading_much(tenant, api_key=caller.api_key) as connection:
        found = changes.after(connection, tenant, own, platform, limit=asked.limit, keys=rt.keys)
    # After it: whatever a check would not be answered from, a replica is not fed from either.
    rt.check_many(tenant, [], _ANYTHING, api_key=caller.api_key)
    return answers.answer(
        bodies.ChangesAnswer(
            caller.slug,
            [_changed(caller, one) for one in found.touched],
            found.topics,
            found.as_of,
            _cursor(found.own, found.platform),
            found.more,
        )
    )


def _changed(caller: Caller, one: Touched) -> bodies.Changed:
    return bodies.Changed(
        runtime().keys.replica_id(one.digest).hex(),
        one.kind,
        None if one.sha256 is None else one.sha256.hex(),
        [answers.match(caller, row) for row in one.stands],
    )


def _cursor(*places: Place) -> str:
    return cursors.write([part for one in places for part in (str(one.number), one.hash)])


def _places(cursor: str | None) -> tuple[Place, Place]:
    if cursor is None:
        return Place(), Place()
    number, hash_, others, others_hash = map(str, cursors.read(cursor, [str] * 4))
    return _place(number, hash_), _place(others, others_hash)


def _place(number: str, hash_: str) -> Place:
    if not (number.isascii() and number.isdecimal() and int(number[:20]) < 2**63):
        raise Malformed("This cursor is none of ours. Start again without one.")
    return Place(int(number), hash_)
