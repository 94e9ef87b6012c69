"""What a backup holds, signed: where each ledger stood in it, with which keys, and its parts.

The keys are not in it, and cannot be had from it: a backup without them is worth little to a thief.
"""

import json
from datetime import datetime
from typing import Final

import msgspec

from optout_service.core.keyring import KeyRing
from optout_service.core.policy import PLATFORM
from optout_service.core.signing import Signatures
from optout_service.core.statement import Statements

USE: Final = "optout backup 1"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the backup: its name, its length in bytes, 64 hex digits of its SHA-256."""

    name: str
    bytes: int
    sha256: str


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tenant's ledger in the copy: ``seq`` events, and ``head`` (hex) is the last one's hash."""

    number: int
    tenant: str
    seq: int
    head: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement about one copy of the database, of one state.

    ``database``: ``sqlite`` or ``postgresql``. ``schema``: the number of its migration. ``pepper``,
    ``encryption`` and ``signing`` are fingerprints; of peppers, with blanks between, all that its
    digests are under. ``made_at`` aware, UTC; ``key`` and ``signature``, the platform's, as
    ``core.signing`` makes them.
    """

    origin: str
    release: str
    made_at: datetime
    database: str
    schema: str
    ledgers: tuple[Ledger, ...]
    pepper: str
    encryption: tuple[str, ...]
    signing: tuple[str, ...]
    parts: tuple[Part, ...]
    key: str = ""
    signature: str = ""

    @property
    def events(self) -> int:
        """How many events its ledgers have, together."""
        return sum(ledger.seq for ledger in self.ledgers)


_ALL: Final = Statements(Manifest, USE)
is_good: Final = _ALL.is_good
from_text: Final = _ALL.from_line
"""Its signature is not yet looked at. Raises ValueError."""


def sign(signatures: Signatures, unsigned: Manifest) -> Manifest:
    """The manifest with the platform's key and signature."""
    return _ALL.sign(signatures, PLATFORM, unsigned)


def missing_keys(manifest: Manifest, keys: KeyRing) -> tuple[str, ...]:
    """The fingerprints of the keys it was made with that are not among these."""
    prints = keys.fingerprints
    here = {prints.pepper, *prints.covers, *prints.encryption, *prints.signing}
    made_with = (*manifest.pepper.split(), *manifest.encryption, *manifest.signing)
    return tuple(one for one in made_with if one not in here)


def as_text(manifest: Manifest) -> str:
    """A manifest as JSON, for people and programs."""
    return json.dumps(msgspec.to_builtins(manifest), ensure_ascii=False, indent=1) + "\n"
