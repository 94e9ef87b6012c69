"""A brand that has set all that it can."""

from optout_service.core.looks import Looks
from optout_service.runtime import Runtime
from optout_service.store import brands, tenants
from tests import pictures

DRESSED = Looks.parse(
    contact_url="https://acme.example/help?a=b&c=d",
    colour="#a3182a",
    dark_colour="",
    language="de",
    logo=pictures.png(),
)


def dress(rt: Runtime, tenant: int, looks: Looks = DRESSED) -> None:
    """Give a tenant these looks."""
    with rt.writing() as connection:
        brands.put(connection, tenants.get_by_id(connection, tenant), looks)
