"""The sending organisations. Only the platform makes them; each looks after its own name."""

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import setup as bodies
from optout_service.core.errors import NotFound
from optout_service.store import tenants
from optout_service.store.keys import Role
from optout_service.store.tenants import PLATFORM_SLUG, Tenant
from optout_service.web import runtime


def list_tenants(_: Caller) -> Response:
    """A page of all tenants, by slug."""
    asked = binding.query(bodies.Page)
    with runtime().reading() as connection:
        rows, following = tenants.page(connection, cursor=asked.cursor, limit=asked.limit)
    return answers.answer(bodies.TenantsAnswer([_shape(row) for row in rows], following))


def create_tenant(caller: Caller) -> Response:
    """Make a tenant. 409 if there is one of this slug."""
    asked = binding.body(bodies.TENANT)
    rt = runtime()
    with rt.writing() as connection:
        made = tenants.create(
            connection,
            asked.slug,
            name=asked.name,
            contact=asked.contact,
            address_book=asked.address_book,
            at=rt.now(),
        )
    audit.note(caller, "tenant created", slug=made.slug)
    return answers.answer(_shape(made), 201)


def show_tenant(caller: Caller, slug: str) -> Response:
    """One tenant. Who is not the platform sees its own."""
    _require_own(caller, slug)
    with runtime().reading() as connection:
        found = tenants.get(connection, slug)
    return answers.answer(_shape(found))


def change_tenant(caller: Caller, slug: str) -> Response:
    """Change what recipients read of a tenant, or whether their addresses are kept.

    With the address book switched on, addresses are kept from then on. With it switched off none is
    added; those that are there stay until they are erased.
    """
    _require_own(caller, slug)
    asked = binding.body(bodies.TENANT_CHANGE)
    with runtime().writing() as connection:
        made = tenants.change(
            connection,
            slug,
            name=asked.name,
            contact=asked.contact,
            address_book=asked.address_book,
        )
    audit.note(caller, "tenant changed", slug=slug, address_book=made.address_book)
    return answers.answer(_shape(made))


def _require_own(caller: Caller, slug: str) -> None:
    """Raises NotFound for another's tenant, and for the platform, which is none."""
    theirs = slug if caller.role is Role.PLATFORM else caller.slug
    if slug != theirs or slug == PLATFORM_SLUG or not slug.isprintable():
        raise NotFound("There is no such tenant.")


def _shape(row: Tenant) -> bodies.TenantShape:
    return bodies.TenantShape(row.slug, row.name, row.contact, row.address_book)
