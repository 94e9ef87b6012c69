"""How the tenant looks to its recipients."""

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller, own_tenant
from optout_service.api.bodies import brand as bodies
from optout_service.core.looks import Looks
from optout_service.store import brands, tenants
from optout_service.store.tenants import Tenant
from optout_service.web import runtime


def show_brand(caller: Caller) -> Response:
    """The tenant's brand, as its recipients meet it. What is empty is as it is built in."""
    tenant = own_tenant(caller)
    with runtime().reading() as connection:
        named = tenants.get_by_id(connection, tenant)
        looks = brands.get(connection, tenant)
    return answers.answer(_shape(named, looks))


def put_brand(caller: Caller) -> Response:
    """Set the brand as a whole: what is left out goes back to what is built in.

    422 says what a value lacks: a colour that could not be seen comes with the nearest that can.
    """
    tenant = own_tenant(caller)
    asked = binding.body(bodies.BRAND)
    looks = Looks.parse(
        contact_url=asked.contact_url,
        colour=asked.colour,
        dark_colour=asked.dark_colour,
        language=asked.language,
        logo=asked.logo,
    )
    with runtime().writing(tenant) as connection:
        named = tenants.change(connection, caller.slug, name=asked.name, contact=asked.contact)
        brands.put(connection, named, looks)
    audit.note(caller, "brand changed")
    return answers.answer(_shape(named, looks))


def _shape(named: Tenant, looks: Looks) -> bodies.BrandShape:
    return bodies.BrandShape(named.name, named.contact, **looks.values())
