"""What did they say? Opt-out, opt-in, help, review or none: rules as data, and no guess.

``rules/<language>.toml`` holds the words, ``rules/frames.toml`` how they make a request,
``marks.toml`` what programs write around them. docs/text.md describes the whole.
"""

from functools import cache

from optout_service.core.keyword.reader import Reader
from optout_service.core.keyword.reading import NOTHING, Intent, Reading
from optout_service.core.keyword.rulebook import Language, parse

__all__ = ["NOTHING", "Intent", "Language", "Reader", "Reading", "own_reader", "parse", "read"]


def read(text: str, language: str | None = None) -> Reading:
    """What a message says by our own rules. ``language``: a tag such as ``es``, if known.

    Never raises.
    """
    return own_reader().read(text, language)


@cache
def own_reader() -> Reader:
    """The reader of our own rules, made once."""
    return Reader.own()
