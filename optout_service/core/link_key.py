"""The credential with which a sender mints its links by itself: one tenant's derived link keys.

It makes, and opens, links of this tenant and of no other; nothing else that the service derives or
signs can be had from it.

LAW OF EVOLUTION. Senders keep it. The members are never renamed or removed; a reader leaves those
alone that it does not know. Whatever does not fit that gets a new version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from optout_service.core import base64url
from optout_service.core.errors import InvalidRequest
from optout_service.core.keyring import KEY_BYTES

VERSION: Final = 1
_MOST_TENANTS: Final = 2**32


@dataclass(frozen=True, slots=True, repr=False)
class LinkKey:
    """``keys``: newest last; that one mints. ``base_url``: where links lead.

    ``topics``: those that the tenant had when this was given. A link to a topic that is misspelt
    would look well, and stop nothing.
    """

    tenant: int
    slug: str
    base_url: str
    topics: tuple[str, ...]
    keys: tuple[bytes, ...]

    def document(self) -> dict[str, Any]:
        """As JSON has it. It holds secrets."""
        return {
            "version": VERSION,
            "tenant": self.tenant,
            "slug": self.slug,
            "base_url": self.base_url,
            "topics": list(self.topics),
            "keys": [base64url.encoded(key).decode() for key in self.keys],
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """From its document. Raises InvalidRequest, which repeats nothing of it."""
        try:
            keys = tuple(base64url.decoded(text) for text in document["keys"])
            tenant, version = document["tenant"], document["version"]
            texts = document["slug"], document["base_url"], *document["topics"]
        except (KeyError, TypeError, ValueError):
            raise _none_of_ours() from None
        fits = (
            version == VERSION
            and isinstance(tenant, int)
            and 0 <= tenant < _MOST_TENANTS
            and all(isinstance(text, str) for text in texts)
            and keys
            and all(len(key) == KEY_BYTES for key in keys)
        )
        if not fits:
            raise _none_of_ours()
        slug, base_url, *topics = texts
        return cls(tenant, slug, base_url, tuple(topics), keys)

    def __repr__(self) -> str:
        return f"LinkKey({self.slug}, ***)"


def _none_of_ours() -> InvalidRequest:
    return InvalidRequest(
        "This is no link key, or one for a newer version. Fetch it with GET /v1/link-key."
    )
