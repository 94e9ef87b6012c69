"""Every error kind has one word, one status, and a place in the list."""

from collections.abc import Iterator

from optout_service import web
from optout_service.core.errors import OptOutError


def kinds(root: type[OptOutError] = OptOutError) -> Iterator[type[OptOutError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_error_has_a_status() -> None:
    assert set(kinds()) == set(web.STATUS)


def test_every_status_is_that_of_an_error() -> None:
    assert all(400 <= status < 600 for status in web.STATUS.values())


def test_no_two_errors_share_a_word() -> None:
    words = [kind.kind for kind in kinds()]
    assert len(words) == len(set(words))
    assert OptOutError.kind not in words


def test_every_error_has_a_title_and_says_when_it_is_raised() -> None:
    for kind in kinds():
        assert kind.title != OptOutError.title, kind
        assert kind.__doc__, kind
