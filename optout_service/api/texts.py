"""A tenant's own words for the replies to STOP, START and HELP."""

from flask import Response

from optout_service.api import answers, binding
from optout_service.api.auth import Caller
from optout_service.api.bodies import texts as bodies
from optout_service.store import texts
from optout_service.store.texts import Text
from optout_service.web import runtime


def list_texts(caller: Caller) -> Response:
    """The tenant's own texts, and the built-in ones filled in for its brand."""
    with runtime().reading() as connection:
        own = texts.list_all(connection, caller.tenant)
        built_in = texts.built_in(connection, caller.tenant)
    return answers.answer(
        bodies.TextsAnswer([_shape(text) for text in own], [_shape(text) for text in built_in])
    )


def put_text(caller: Caller) -> Response:
    """Set a text in place of the one there is. 422 says all that it lacks, and its length."""
    asked = binding.body(bodies.TEXT)
    with runtime().writing(caller.tenant) as connection:
        made = texts.put(connection, caller.tenant, asked.said, asked.language, asked.text)
    return answers.answer(_shape(made))


def remove_text(caller: Caller) -> Response:
    """Go back to the built-in text. 404 where the tenant has none of its own."""
    asked = binding.query(bodies.TextQuery)
    with runtime().writing(caller.tenant) as connection:
        texts.remove(connection, caller.tenant, asked.said, asked.language)
    return Response(status=204)


def _shape(text: Text) -> bodies.TextShape:
    length = text.length
    return bodies.TextShape(
        text.said, text.language, text.text, length.encoding, length.units, length.segments
    )
