"""The tenants' own words for what is said back to a person who answered."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from optout_service.core import texts
from optout_service.core.errors import NotFound
from optout_service.core.segments import Length
from optout_service.core.texts import Brand, Said
from optout_service.store import tenants
from optout_service.store.tables import reply_text


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a tenant's. ``length``: of what its recipients get, the brand filled in."""

    said: Said
    language: str
    text: str
    length: Length


def put(conn: Connection, tenant_id: int, said: Said, language: str, text: str) -> Text:
    """Set a text, in place of the one there is. Raises InvalidRequest as ``texts.check`` does."""
    tag = texts.parse_language(language)
    length = texts.check(said, tag, text, brand_of(conn, tenant_id))
    conn.execute(delete(reply_text).where(*_at(tenant_id, said, tag)))
    row = {"tenant": tenant_id, "said": said, "language": tag, "text": text}
    conn.execute(insert(reply_text), row)
    return Text(said, tag, text, length)


def remove(conn: Connection, tenant_id: int, said: Said, language: str) -> None:
    """Go back to the built-in text.

    Raises NotFound where there is none of the tenant's own, InvalidRequest for no language's tag.
    """
    tag = texts.parse_language(language)
    gone = conn.execute(delete(reply_text).where(*_at(tenant_id, said, tag)))
    if not gone.rowcount:
        raise NotFound("This tenant has no such text of its own.")


def list_all(conn: Connection, tenant_id: int) -> list[Text]:
    """All texts of a tenant's own."""
    query = select(reply_text.c.said, reply_text.c.language, reply_text.c.text).where(
        reply_text.c.tenant == tenant_id
    )
    brand = brand_of(conn, tenant_id)
    return [
        Text(Said(said), language, text, texts.measure(text, brand))
        for said, language, text in conn.execute(
            query.order_by(reply_text.c.said, reply_text.c.language)
        )
    ]


def built_in(conn: Connection, tenant_id: int) -> list[Text]:
    """The texts that are used where a tenant has none of its own."""
    brand = brand_of(conn, tenant_id)
    return [
        Text(said, language, text, texts.measure(text, brand))
        for language in texts.languages()
        for said in Said
        if (text := texts.built_in(said, language)) is not None
    ]


def chosen(conn: Connection, tenant_id: int, said: Said, wanted: tuple[str, ...]) -> str | None:
    """What this tenant says, filled in, in the first of these languages that has words for it.

    None where nothing is to be said.
    """
    query = select(reply_text.c.language, reply_text.c.text).where(
        reply_text.c.tenant == tenant_id, reply_text.c.said == said
    )
    own = {row.language: row.text for row in conn.execute(query)}
    text = texts.choose(own.get, said, wanted)
    return None if text is None else texts.fill(text, brand_of(conn, tenant_id))


def brand_of(conn: Connection, tenant_id: int) -> Brand:
    """How a tenant looks to its recipients. Raises NotFound."""
    found = tenants.get_by_id(conn, tenant_id)
    return Brand(found.name, found.contact)


def _at(tenant_id: int, said: Said, language: str) -> tuple[ColumnElement[bool], ...]:
    return (
        reply_text.c.tenant == tenant_id,
        reply_text.c.said == said,
        reply_text.c.language == language,
    )
