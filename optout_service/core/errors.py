"""The closed list of what can go wrong, each with a ``kind`` that callers may switch on.

Raise where the fact is known. A ``detail`` says what to do next and never repeats an address, a
token or a secret. HTTP statuses live in ``web.STATUS`` and nowhere else.
"""

from typing import ClassVar


class OptOutError(Exception):
    """Something this service refuses or cannot do.

    ``kind`` is the stable word for machines, ``title`` the same for people, ``detail`` what is
    wrong this time and what to do, ``extra`` further members of the problem document.
    """

    kind: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class InvalidAddress(OptOutError):
    """The text cannot be an address of the kind that its channel needs."""

    kind = "invalid-address"
    title = "Not an address"


class UnknownChannel(OptOutError):
    """The channel is none of those that exist."""

    kind = "unknown-channel"
    title = "Unknown channel"


class UnknownTopic(OptOutError):
    """The tenant has no such topic."""

    kind = "unknown-topic"
    title = "Unknown topic"


class Malformed(OptOutError):
    """The request cannot be read at all: broken JSON, broken query, broken header."""

    kind = "malformed"
    title = "The request could not be read"


class InvalidRequest(OptOutError):
    """The request can be read, but a field is missing, unknown, or of the wrong type."""

    kind = "invalid-request"
    title = "The request does not fit"


class UnsupportedMediaType(OptOutError):
    """The body is of a media type that this path does not read."""

    kind = "unsupported-media-type"
    title = "Unsupported media type"


class TooLarge(OptOutError):
    """The body, or the batch in it, is over the limit."""

    kind = "too-large"
    title = "Too large"


class Unauthenticated(OptOutError):
    """No API key, or none that is valid now."""

    kind = "unauthenticated"
    title = "No valid API key"


class NotPermitted(OptOutError):
    """The key's role may not do this."""

    kind = "not-permitted"
    title = "Not permitted"


class NotFound(OptOutError):
    """There is no such thing, or it is another tenant's: the two answers are one."""

    kind = "not-found"
    title = "Not found"


class MethodNotAllowed(OptOutError):
    """The path exists, the method does not."""

    kind = "method-not-allowed"
    title = "Method not allowed"


class BadToken(OptOutError):
    """The link is damaged, incomplete or forged. Which of them is nobody's business."""

    kind = "bad-token"
    title = "This link is incomplete"


class BadClearance(OptOutError):
    """The clearance is damaged, forged, or another tenant's. Which of them is not told."""

    kind = "bad-clearance"
    title = "Not a clearance"


class BadSignature(OptOutError):
    """A hook without a valid provider's signature. Nothing of it was read."""

    kind = "bad-signature"
    title = "Bad signature"


class Stale(OptOutError):
    """A hook that is genuine and too old to be taken. Nothing of it was read."""

    kind = "stale"
    title = "Too old"


class NotLiftable(OptOutError):
    """What stands may not be lifted by this caller; ``extra["liftable_by"]`` says who may."""

    kind = "not-liftable"
    title = "This suppression cannot be lifted by you"


class LiftCap(OptOutError):
    """The tenant's lifts of this UTC day are used up."""

    kind = "lift-cap"
    title = "Too many opt-ins today"


class TooMany(OptOutError):
    """This key has asked too often; ``extra["retry_after"]`` says when to ask again, in seconds."""

    kind = "too-many-requests"
    title = "Too many requests"


class Busy(OptOutError):
    """There is more to do than can be done in time. Nothing of the request was read."""

    kind = "busy"
    title = "Too busy now"


class Conflict(OptOutError):
    """It exists already, or it contradicts what exists."""

    kind = "conflict"
    title = "Conflict"


class IdempotencyMismatch(OptOutError):
    """The Idempotency-Key was used before, for another request."""

    kind = "idempotency-mismatch"
    title = "Idempotency-Key used for another request"


class StoreUnavailable(OptOutError):
    """The store could not be read or written. Nothing was answered, nothing was recorded."""

    kind = "store-unavailable"
    title = "The store cannot be reached"


class ProviderUnavailable(OptOutError):
    """A provider that we asked did not answer, or not to the end."""

    kind = "provider-unavailable"
    title = "The provider cannot be reached"


class WrongKeys(OptOutError):
    """The keys given are not those the database was made with: every check would say "allowed"."""

    kind = "wrong-keys"
    title = "The keys do not fit the database"


class Quarantined(OptOutError):
    """The database is older than what it once held: who opted out since then would look allowed."""

    kind = "quarantined"
    title = "The database is behind what was recorded"


class Misconfigured(OptOutError):
    """The settings or the database are not fit to run with; ``detail`` lists all faults."""

    kind = "misconfigured"
    title = "The service is misconfigured"


class Internal(OptOutError):
    """A fault of ours. The caller learns the request id and nothing else."""

    kind = "internal"
    title = "A fault on our side"
