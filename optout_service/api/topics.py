"""A tenant's topics: the streams that can be left one by one.

None can be removed: what was left stays left, and a link in a mail from years ago names its topic.
"""

from flask import Response

from optout_service.api import answers, audit, binding
from optout_service.api.auth import Caller, own_tenant
from optout_service.api.bodies import setup as bodies
from optout_service.core.errors import NotFound
from optout_service.store import tenants
from optout_service.store.tenants import Topic
from optout_service.web import runtime


def list_topics(caller: Caller) -> Response:
    """A page of the tenant's topics, by slug."""
    asked = binding.query(bodies.Page)
    with runtime().reading() as connection:
        rows, following = tenants.page_topics(
            connection, caller.tenant, cursor=asked.cursor, limit=asked.limit
        )
    return answers.answer(bodies.TopicsAnswer([_shape(row) for row in rows], following))


def create_topic(caller: Caller) -> Response:
    """Make a topic. 409 if there is one of this slug.

    Who left everything and came back for some topics has not come back for this one.
    """
    tenant = own_tenant(caller)
    asked = binding.body(bodies.TOPIC)
    with runtime().writing() as connection:
        made = tenants.create_topic(connection, tenant, asked.slug, name=asked.name or "")
    audit.note(caller, "topic created", topic=made.slug)
    return answers.answer(_shape(made), 201)


def rename_topic(caller: Caller, slug: str) -> Response:
    """Give a topic another name. There is no way to remove one: what was left stays left."""
    asked = binding.body(bodies.TOPIC_CHANGE)
    if not slug.isprintable():
        raise NotFound("This tenant has no such topic.")
    with runtime().writing() as connection:
        made = tenants.rename_topic(connection, caller.tenant, slug, asked.name)
    audit.note(caller, "topic renamed", topic=made.slug)
    return answers.answer(_shape(made))


def _shape(row: Topic) -> bodies.TopicShape:
    return bodies.TopicShape(row.slug, row.name)
