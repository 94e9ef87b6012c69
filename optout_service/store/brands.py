"""How the tenants look to their recipients, beside the name and the contact of ``tenants``."""

from collections.abc import Callable
from typing import Final, TypeVar

from sqlalchemy import Connection, delete, insert, select

from optout_service.core import logo
from optout_service.core.colour import Colour
from optout_service.core.errors import InvalidRequest
from optout_service.core.looks import Looks, parse_colours, parse_contact_url, parse_language
from optout_service.store.tables import brand
from optout_service.store.tenants import Tenant

T = TypeVar("T")

_BUILT_IN: Final = Looks()
_COLUMNS: Final = (
    brand.c.contact_url,
    brand.c.colour,
    brand.c.dark_colour,
    brand.c.language,
    brand.c.logo,
)


def get(conn: Connection, tenant_id: int) -> Looks:
    """A tenant's looks; as they are built in where it has set none.

    What was set once and would be refused today is left out: no rule of ours takes away a page.
    """
    row = conn.execute(select(*_COLUMNS).where(brand.c.tenant == tenant_id)).one_or_none()
    if row is None:
        return _BUILT_IN
    none: tuple[Colour | None, Colour | None] = (None, None)
    light, dark = _kept(lambda: parse_colours(row.colour, row.dark_colour), none)
    return Looks(
        _kept(lambda: parse_contact_url(row.contact_url), ""),
        light,
        dark,
        _kept(lambda: parse_language(row.language), ""),
        _kept(lambda: logo.parse(row.logo), None),
    )


def put(conn: Connection, of: Tenant, looks: Looks) -> None:
    """Give a tenant its looks, in place of those it has.

    Raises InvalidRequest for a ``contact_url`` without a contact: there are no words to tap.
    """
    if looks.contact_url and not of.contact:
        raise InvalidRequest(
            "A contact_url needs a contact: the words that lead there.", field="contact"
        )
    conn.execute(delete(brand).where(brand.c.tenant == of.id))
    conn.execute(insert(brand), {"tenant": of.id} | looks.values())


def _kept(parse: Callable[[], T], otherwise: T) -> T:
    try:
        return parse()
    except InvalidRequest:
        return otherwise
