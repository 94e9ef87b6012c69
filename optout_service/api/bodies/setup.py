"""Setting a tenant up."""

from msgspec import Struct


class TopicShape(Struct, frozen=True):
    """A stream that can be left by itself."""

    slug: str
    name: str


class TopicsAnswer(Struct, frozen=True):
    """All topics of a tenant."""

    topics: list[TopicShape]
