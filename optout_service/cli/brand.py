"""``optout tenant brand``: how a tenant looks to its recipients."""

from typing import Any, BinaryIO

import click

from optout_service.cli.main import json_option, opened, settings_options, show
from optout_service.cli.setup import tenant
from optout_service.settings import Settings


@tenant.command()
@click.argument("slug")
@click.option("--name", help="As its recipients know it.")
@click.option("--contact", help="Where its recipients can ask, in words.")
@click.option("--contact-url", help="Where a tap on that leads: https://, mailto: or tel:.")
@click.option("--colour", help="Of the large button, #rrggbb.")
@click.option("--dark-colour", help="The same in the dark; made of --colour unless given.")
@click.option("--language", help="For readers of whom nothing else is known.")
@click.option("--logo", type=click.File("rb"), help="A PNG, JPEG or WebP of at most 6 KiB.")
@click.option("--no-logo", is_flag=True, help="Take the logo away.")
@json_option
@settings_options
def brand(
    settings: Settings,
    slug: str,
    logo: BinaryIO | None,
    no_logo: bool,
    as_json: bool,
    **texts: str | None,
) -> None:
    """Change what is given of a tenant's brand, and show it; '' goes back to what is built in."""
    from optout_service.core.looks import Looks
    from optout_service.store import brands, tenants

    given: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
    if logo is not None and no_logo:
        raise click.UsageError("Give --logo or --no-logo, not both.")
    if logo is not None or no_logo:
        given["logo"] = logo.read() if logo else b""
    with opened(settings) as rt, rt.writing() if given else rt.reading() as connection:
        named = tenants.get(connection, slug)
        looks = brands.get(connection, named.id)
        if given:
            name, contact = given.pop("name", None), given.pop("contact", None)
            looks = Looks.parse(**looks.values() | given)
            named = tenants.change(connection, slug, name=name, contact=contact)
            brands.put(connection, named, looks)
    shown = {"tenant": slug, "name": named.name, "contact": named.contact} | looks.values()
    picture = looks.logo
    size = picture and f"{picture.media}, {picture.width} x {picture.height} pixels"
    show(shown | {"logo": size or ""}, as_json=as_json)
