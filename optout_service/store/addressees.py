"""Whose sender a person wrote to."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from optout_service.store.prepared import Prepared, run
from optout_service.store.senders import Sender, from_row
from optout_service.store.tables import sender

_REACHED = Prepared(
    select(sender)
    .where(
        sender.c.provider == bindparam("provider"),
        sender.c.account == bindparam("account"),
        sender.c.address.in_([bindparam("own"), bindparam("number"), bindparam("service")]),
    )
    .order_by(sender.c.tenant)
)


def reached(
    conn: Connection,
    tenants: Sequence[int],
    provider: str,
    account: str,
    *,
    number: str,
    channel: str,
    service: str,
) -> list[Sender]:
    """Whose sender was written to: at most one for each of ``tenants``, in their order.

    By the number under the name of its channel (``whatsapp:+1...``), else by the number, else by
    the service it belongs to: the first that any of them has registered counts, and only that.
    Several tenants can share a number; then all of them were.
    """
    known_as = [name for name in (f"{channel}:{number}", number, service) if name]
    asked = {"own": f"{channel}:{number}", "number": number, "service": service}
    (rows,) = run(conn, (_REACHED, {"provider": provider, "account": account, **asked}))
    made = [from_row(row) for row in rows]
    found = [one for one in made if one.tenant in tenants and one.address in known_as]
    best = min((known_as.index(one.address) for one in found), default=0)
    return [one for one in found if one.address == known_as[best]]
