"""The proof at the recipient's door: the link itself, and what it was minted for."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from optout_service.core import mending
from optout_service.core.errors import BadToken
from optout_service.core.scope import ANY, Purpose, Scope
from optout_service.core.token import Claim, Links
from optout_service.web import Proof, runtime

RULE: Final = "/u/<rest:token>"
"""The path of a link: all of it, since a link may come broken over lines, or within another."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A genuine link, and what it can stop."""

    claim: Claim

    @property
    def narrow(self) -> Scope:
        """What this message was about: the link's own topic, marketing alone."""
        return Scope(self.claim.channel, self.claim.topic, Purpose.MARKETING)

    @property
    def wide(self) -> Scope:
        """All marketing of the brand to this address, on every channel it has."""
        return Scope(ANY, ANY, Purpose.MARKETING)


def read(links: Links, token: str) -> Visit:
    """The visit of a link, also of one that was mangled on the way but has all its letters.

    Raises BadToken: the same for every fault.
    """
    try:
        return Visit(links.read(token))
    except BadToken:
        for candidate in mending.candidates(token):
            with suppress(BadToken):
                return Visit(links.read(candidate))
        raise


LINK: Final = Proof("the signed link", lambda token: read(runtime().links, token))
