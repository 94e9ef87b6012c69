"""``optout link-key``: what mints links elsewhere."""

import json

import click

from optout_service.cli.main import main, opened, settings_options
from optout_service.core.link_key import LinkKey
from optout_service.settings import Settings


@main.command("link-key")
@click.option("--tenant", required=True, help="The tenant's slug.")
@settings_options
def link_key(settings: Settings, tenant: str) -> None:
    """Print the credential with which `optout_service.client` mints a tenant's links by itself.

    Keep it as you keep a password: whoever holds it can make a link for any of the tenant's
    recipients.
    """
    from optout_service.store import tenants

    with opened(settings) as rt, rt.reading() as connection:
        found = tenants.get(connection, tenant)
        topics = tuple(topic.slug for topic in tenants.topics(connection, found.id))
        made = LinkKey(
            found.id, found.slug, settings.public_url, topics, rt.keys.link_ring(found.id)
        )
    click.echo(json.dumps(made.document()))
