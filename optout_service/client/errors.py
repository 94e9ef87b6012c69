"""What can go wrong for a sender. None of it is ever an answer, and least of all "allowed".

No text here repeats an address, a token or a key: tracebacks end up in logs.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from optout_service.core.errors import OptOutError

_UNPROCESSABLE: Final = 422


class OptOutServiceError(Exception):
    """There is no answer. ``detail`` says what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Refused(OptOutServiceError):
    """The service understood, and will not do it: asking again changes nothing.

    ``status``: of HTTP. ``kind``: the stable word to switch on, such as ``invalid-address``.
    ``extra``: what else the problem says (RFC 9457), such as ``liftable_by``.
    """

    def __init__(
        self, status: int, kind: str, detail: str, extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.extra = dict(extra or {})

    def __str__(self) -> str:
        return f"{self.detail} ({self.status} {self.kind})"


class Unavailable(OptOutServiceError):
    """Nobody answered, or not to the end, or not as the service would: do not send now."""


@contextmanager
def refusals() -> Iterator[None]:
    """What the service refuses with 422, refused without asking it."""
    try:
        yield
    except OptOutError as error:
        raise Refused(_UNPROCESSABLE, error.kind, error.detail, error.extra) from None
