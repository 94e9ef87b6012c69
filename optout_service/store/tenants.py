"""Tenants and their topics: whose mail it is, and which streams can be left one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from optout_service.core.chain import GENESIS
from optout_service.core.errors import Conflict, InvalidRequest, NotFound, UnknownTopic
from optout_service.core.policy import PLATFORM
from optout_service.core.scope import ANY, parse_slug
from optout_service.store import ledger, pages, suppressions
from optout_service.store.tables import tenant, topic

PLATFORM_SLUG: Final = "platform"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A sending organisation. ``name`` and ``contact`` are what its recipients see."""

    id: int
    slug: str
    name: str
    contact: str
    address_book: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """A stream of messages that can be left by itself."""

    slug: str
    name: str


_FIELDS: Final = (
    tenant.c.id,
    tenant.c.slug,
    tenant.c.name,
    tenant.c.contact,
    tenant.c.address_book,
)


def create_platform(conn: Connection, *, at: datetime) -> None:
    """Make tenant 0, whose suppressions bind every tenant, unless it is there."""
    if conn.execute(select(tenant.c.id).where(tenant.c.id == PLATFORM)).first() is None:
        conn.execute(insert(tenant), _new(PLATFORM, PLATFORM_SLUG, "Platform", "", True, at))


def create(
    conn: Connection,
    slug: str,
    *,
    name: str,
    contact: str = "",
    address_book: bool = True,
    at: datetime,
) -> Tenant:
    """Make a tenant. Raises InvalidRequest for a bad slug or name, Conflict if it exists."""
    try:
        parse_slug(slug)
    except UnknownTopic:
        raise InvalidRequest(
            "A tenant's slug is 1 to 64 characters of a-z, 0-9, - and _.", field="slug"
        ) from None
    _require_words(name, contact)
    if find(conn, slug) is not None:
        raise Conflict(f"There is a tenant {slug} already.")
    # Under the platform's lock, which a rotation of the pepper takes first: no tenant is left out.
    regime = ledger.locked(conn, PLATFORM).regime
    highest = conn.execute(select(func.max(tenant.c.id))).scalar() or PLATFORM
    row = _new(highest + 1, slug, name.strip(), contact, address_book, at)
    conn.execute(insert(tenant), row | {"regime": regime})
    return Tenant(highest + 1, slug, name.strip(), contact, address_book)


def find(conn: Connection, slug: str) -> Tenant | None:
    """The tenant of this slug, or None."""
    if not slug.isprintable():
        return None  # No database takes the NUL character in a text.
    row = conn.execute(select(*_FIELDS).where(tenant.c.slug == slug)).one_or_none()
    return None if row is None else Tenant(*row)


def get(conn: Connection, slug: str) -> Tenant:
    """The tenant of this slug. Raises NotFound."""
    if (found := find(conn, slug)) is None:
        raise NotFound("There is no such tenant. List them with: optout tenant list")
    return found


def get_by_id(conn: Connection, tenant_id: int) -> Tenant:
    """The tenant of this number. Raises NotFound."""
    row = conn.execute(select(*_FIELDS).where(tenant.c.id == tenant_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such tenant.")
    return Tenant(*row)


def list_all(conn: Connection) -> list[Tenant]:
    """All tenants but the platform, by slug."""
    query = select(*_FIELDS).where(tenant.c.id != PLATFORM).order_by(tenant.c.slug)
    return [Tenant(*row) for row in conn.execute(query)]


def every(conn: Connection) -> list[Tenant]:
    """The platform, then all tenants: whoever has a ledger."""
    return [get_by_id(conn, PLATFORM), *list_all(conn)]


def page(conn: Connection, *, cursor: str | None, limit: int) -> tuple[list[Tenant], str | None]:
    """A page of ``list_all``, and the cursor of the next one. Raises Malformed."""
    query = select(*_FIELDS).where(tenant.c.id != PLATFORM)
    rows, following = pages.page(conn, query, [tenant.c.slug], cursor=cursor, limit=limit)
    return [Tenant(*row) for row in rows], following


def change(
    conn: Connection,
    slug: str,
    *,
    name: str | None = None,
    contact: str | None = None,
    address_book: bool | None = None,
) -> Tenant:
    """Change what is given; the slug is for ever, since links and keys name it.

    With the address book on, addresses are kept from now on; off, none is added, and those that are
    there stay until they are erased. Raises NotFound, InvalidRequest.
    """
    old = get(conn, slug)
    made = Tenant(
        old.id,
        slug,
        old.name if name is None else name.strip(),
        old.contact if contact is None else contact,
        old.address_book if address_book is None else address_book,
    )
    _require_words(made.name, made.contact)
    conn.execute(
        update(tenant)
        .where(tenant.c.id == old.id)
        .values(name=made.name, contact=made.contact, address_book=made.address_book)
    )
    return made


def create_topic(conn: Connection, tenant_id: int, slug: str, *, name: str = "") -> Topic:
    """Make a topic. Raises UnknownTopic (a bad slug), InvalidRequest (a bad name), Conflict."""
    parse_slug(slug)
    # First: whoever writes the topic has a weaker lock on the tenant already, and two would wait
    # for each other.
    ledger.lock(conn, tenant_id)
    if any(known.slug == slug for known in topics(conn, tenant_id)):
        raise Conflict(f"There is a topic {slug} already.")
    if name:
        _require_words(name)
    made = Topic(slug, name.strip() or slug.replace("-", " ").replace("_", " ").capitalize())
    conn.execute(insert(topic), {"tenant": tenant_id, "slug": made.slug, "name": made.name})
    suppressions.pin_new_topic(conn, tenant_id, made.slug)
    return made


def topics(conn: Connection, tenant_id: int) -> list[Topic]:
    """A tenant's topics, by slug."""
    query = select(topic.c.slug, topic.c.name).where(topic.c.tenant == tenant_id)
    return [Topic(*row) for row in conn.execute(query.order_by(topic.c.slug))]


def page_topics(
    conn: Connection, tenant_id: int, *, cursor: str | None, limit: int
) -> tuple[list[Topic], str | None]:
    """A page of ``topics``, and the cursor of the next one. Raises Malformed."""
    query = select(topic.c.slug, topic.c.name).where(topic.c.tenant == tenant_id)
    rows, following = pages.page(conn, query, [topic.c.slug], cursor=cursor, limit=limit)
    return [Topic(*row) for row in rows], following


def rename_topic(conn: Connection, tenant_id: int, slug: str, name: str) -> Topic:
    """Give a topic another name. Its slug is for ever: suppressions and links name it.

    Raises NotFound, InvalidRequest.
    """
    _require_words(name)
    done = conn.execute(
        update(topic)
        .where(topic.c.tenant == tenant_id, topic.c.slug == slug)
        .values(name=name.strip())
    )
    if done.rowcount != 1:
        raise NotFound("This tenant has no such topic.")
    return Topic(slug, name.strip())


def require_topics(conn: Connection, tenant_id: int, slugs: Sequence[str]) -> None:
    """Raises UnknownTopic unless the tenant has all of these; ``*`` is always known."""
    if asked := set(slugs) - {ANY}:
        known = {known.slug for known in topics(conn, tenant_id)}
        if asked - known:
            raise UnknownTopic(
                f"This tenant has no such topic. It has: {', '.join(sorted(known)) or 'none'}."
            )


def _require_words(name: str, contact: str = "") -> None:
    if not name.strip() or len(name) > 200 or not _in_one_line(name):
        raise InvalidRequest(
            "A name is what recipients read: 1 to 200 characters in one line, and no marks that "
            "turn the text around them.",
            field="name",
        )
    if len(contact) > 200 or not _in_one_line(contact):
        raise InvalidRequest(
            "A contact has at most 200 characters in one line, and no marks that turn the text "
            "around them.",
            field="contact",
        )


def _in_one_line(text: str) -> bool:
    """Whether it can stand in a header, a title and a reply without doing anything to them."""
    # Hindi and Persian are spelt with the joiners, and emoji are made with one.
    return text.replace("\u200c", "").replace("\u200d", "").isprintable()


def _new(
    number: int, slug: str, name: str, contact: str, address_book: bool, at: datetime
) -> dict[str, Any]:
    return {
        "id": number,
        "slug": slug,
        "name": name,
        "contact": contact,
        "address_book": address_book,
        "created_at": at,
        "seq": 0,
        "head": GENESIS,
        "lift_day": 0,
        "lift_count": 0,
    }
