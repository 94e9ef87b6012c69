"""A tenant's topics: the streams that can be left one by one."""

from flask import Response

from optout_service.api import answers
from optout_service.api.auth import Caller
from optout_service.api.bodies import setup as bodies
from optout_service.store import tenants
from optout_service.web import runtime


def list_topics(caller: Caller) -> Response:
    """All topics of the caller's tenant."""
    with runtime().reading() as connection:
        found = tenants.topics(connection, caller.tenant)
    return answers.answer(
        bodies.TopicsAnswer([bodies.TopicShape(topic.slug, topic.name) for topic in found])
    )
