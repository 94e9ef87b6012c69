"""From the rows of a list to the digests of their addresses: the dear part of a scrub."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from optout_service.core import cutting
from optout_service.core.address import canonical_sha256
from optout_service.core.cutting import Cut, Places
from optout_service.core.errors import InvalidAddress
from optout_service.core.fields import Finder
from optout_service.core.keyring import DIGEST_BYTES, KeyRing
from optout_service.core.lists import Listing, Media
from optout_service.core.rows import Block
from optout_service.core.scope import Kind


class Digested(NamedTuple):
    """A block, where its rows lie, which of them have an address, and the digests of those.

    ``places``: numbers of rows within the block, in any order; ``digests``: 16 bytes for each, one
    after the other.
    """

    block: Block
    found: Cut
    places: Places
    digests: bytes


Digesting = Callable[[Iterable[Block]], Iterator[Digested]]


def digests_of(kind: Kind, texts: Sequence[str], keys: KeyRing) -> dict[int, bytes]:
    """Number -> digest, of those among these texts that are addresses. In no order."""
    data = "\n".join(texts).encode("utf-8", "surrogatepass")
    if data.count(b"\n") != len(texts) - 1 or b"\r" in data:
        # Some text is no line. By itself it may yet be an address with a line end behind it.
        found = {at: text for at, text in enumerate(texts) if _is_address(kind, text)}
        hashes = [canonical_sha256(kind, text) for text in found.values()]
        places, digests = list(found), keys.digests_of(kind, hashes)
    else:
        lines = Listing(media=Media.TEXT, finder=Finder(None, kind), blocks=iter(()))
        made = Digester(lines, kind, keys).of(Block(data, 1))
        places, digests = made.places.tolist(), made.digests
    each = (digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES))
    return dict(zip(places, each, strict=True))


@dataclass(frozen=True, slots=True)
class Digester:
    """Reads the addresses of one list. ``kind``: what they are."""

    listing: Listing
    kind: Kind
    keys: KeyRing

    def all(self, blocks: Iterable[Block]) -> Iterator[Digested]:
        """Each block in turn."""
        return map(self.of, blocks)

    def of(self, block: Block) -> Digested:
        """One block."""
        found = self.cut(block)
        places, hashes = self._hashes(block, found)
        digests = self.keys.digests_of(self.kind, hashes)
        return Digested(block, found, np.array(places, np.int64), digests)

    def cut(self, block: Block) -> Cut:
        """Where the rows of a block lie, and their addresses."""
        return cutting.cut(block, self.listing.delimiter, self.listing.column)

    def _hashes(self, block: Block, found: Cut) -> tuple[list[int], list[bytes]]:
        """The rows whose addresses are such, in any order, and the SHA-256 of each."""
        if self.listing.media is Media.NDJSON or self.kind is not Kind.EMAIL:
            return self._exactly(block, found, np.flatnonzero(~found.empty))
        lowered = block.data.lower()
        plain = cutting.plain_emails(lowered, found)
        rest = self._exactly(block, found, np.flatnonzero(~(plain | found.empty)))
        spans = zip(found.cells[plain].tolist(), found.cell_stops[plain].tolist(), strict=True)
        hashes = [sha256(lowered[a:b]).digest() for a, b in spans]
        return np.flatnonzero(plain).tolist() + rest[0], hashes + rest[1]

    def _exactly(self, block: Block, found: Cut, wanted: Places) -> tuple[list[int], list[bytes]]:
        """As ``_hashes``, for these rows, one by one."""
        places: list[int] = []
        hashes: list[bytes] = []
        starts, ends = found.starts[wanted].tolist(), found.ends[wanted].tolist()
        for place, start, end in zip(wanted.tolist(), starts, ends, strict=True):
            text = self.listing.address(block.data[start:end])
            if text is None:
                continue
            try:
                hashes.append(canonical_sha256(self.kind, text))
            except InvalidAddress:
                continue
            places.append(place)
        return places, hashes


def _is_address(kind: Kind, text: str) -> bool:
    try:
        canonical_sha256(kind, text)
    except InvalidAddress:
        return False
    return True
