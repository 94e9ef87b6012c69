"""How a pepper is changed: what is stored of a digest is put under a cover, and the digest stays.

A digest cannot be made anew from what is stored, since of most recipients no address is. So the
first pepper makes digests for ever, and each later one makes a cover: the 16 bytes of a digest are
one block, encrypted with AES-256 (FIPS 197) under a key derived from that pepper. As long as it is
unknown, a covered digest is 16 random bytes also to whoever has the first pepper.

A digest is stored in one *generation*: 1 is the digest itself, n is under the n-th pepper's cover.
The *regime* says which generations there are in a database: settled in one, or moving to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DIGEST_BYTES: Final = 16
_FIRST: Final = 1


class Covers:
    """All the forms of digests that a ring of peppers knows. Digests are 16 bytes each."""

    def __init__(self, later: tuple[bytes, ...]) -> None:
        """``later``: the peppers after the first, oldest first."""
        # One block each, and all of them random: ECB has no repetition to betray.
        self._ciphers = tuple(Cipher(algorithms.AES(_key(one)), modes.ECB()) for one in later)
        self.generations = tuple(range(_FIRST, _FIRST + len(later) + 1))

    def put_on(self, digests: bytes, generation: int) -> bytes:
        """Digests that stand one after the other, as they are stored in this generation."""
        if generation == _FIRST:
            return digests
        return self._ciphers[generation - _FIRST - 1].encryptor().update(digests)

    def take_off(self, stored: bytes, generation: int) -> bytes:
        """The reverse."""
        if generation == _FIRST:
            return stored
        return self._ciphers[generation - _FIRST - 1].decryptor().update(stored)

    def forms(self, digest: bytes) -> tuple[bytes, ...]:
        """One digest in every generation: whoever looks for all of them misses nothing."""
        if len(self.generations) == 1:
            return (digest,)
        return tuple(self.put_on(digest, generation) for generation in self.generations)

    def digests_behind(self, form: bytes) -> tuple[bytes, ...]:
        """The digests of which this may be a form, where nobody noted in which generation."""
        return tuple(self.take_off(form, generation) for generation in self.generations)


@dataclass(frozen=True, slots=True)
class Regime:
    """Which generations the digests of a database are in.

    ``number``: 0 settled in the first, 1 moving from it to the second, 2 settled in that, and so
    on. ``fingerprint``: 16 hex digits that name it, and the peppers that it takes.
    """

    number: int
    fingerprint: str
    _covers: Covers = field(repr=False, compare=False)

    @property
    def moving(self) -> bool:
        """Whether some rows are in the one generation, and some in the next."""
        return self.number % 2 == 1

    @property
    def before(self) -> int:
        """The older generation, if it is moving; else the only one."""
        return _FIRST + self.number // 2

    @property
    def written(self) -> int:
        """The generation in which digests are written."""
        return _FIRST + (self.number + 1) // 2

    @property
    def mark(self) -> int | None:
        """What a row says of the generation it is written in; None: of the first."""
        return None if self.written == _FIRST else self.written

    def stored(self, digest: bytes) -> bytes:
        """A digest as it is written."""
        return self._covers.put_on(digest, self.written)

    def forms(self, digests: bytes) -> tuple[bytes, ...]:
        """Digests that stand one after the other, in each generation that there can be."""
        if self.number == 0:
            return (digests,)  # the check of most databases, which pays for nothing
        if not self.moving:
            return (self.stored(digests),)
        return self._covers.put_on(digests, self.before), self.stored(digests)

    def digests_by_form(self, digests: Sequence[bytes]) -> dict[bytes, bytes]:
        """Many digests, each under every form in which it can be stored."""
        if self.number == 0:
            return dict(zip(digests, digests, strict=True))
        found: dict[bytes, bytes] = {}
        for forms in self.forms(b"".join(digests)):
            found.update(zip(split(forms), digests, strict=True))
        return found

    def moved(self, form: bytes) -> bytes:
        """From what is stored in the older generation to the newer one."""
        return self.stored(self._covers.take_off(form, self.before))


class Regimes:
    """All the regimes that a ring of peppers can serve, by their numbers."""

    def __init__(self, names: Sequence[str], later: Sequence[bytes], covers: Covers) -> None:
        """``names``: the fingerprints of the peppers; the first is that of the first regime too.

        ``later``: the peppers after the first.
        """
        begun = (_fingerprint(names, later, number) for number in range(1, 2 * len(later) + 1))
        self.all = tuple(
            Regime(number, name, covers) for number, name in enumerate((names[0], *begun))
        )

    @cached_property
    def by_fingerprint(self) -> dict[str, Regime]:
        """The same by their fingerprints."""
        return {regime.fingerprint: regime for regime in self.all}


def split(digests: bytes) -> list[bytes]:
    """Digests that stand one after the other, each by itself."""
    return [digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)]


def _key(pepper: bytes) -> bytes:
    return blake2b(key=pepper, person=b"optout cover", digest_size=32).digest()


def _fingerprint(names: Sequence[str], later: Sequence[bytes], number: int) -> str:
    """It binds each pepper up to the one that is written under, by name, and that one itself."""
    written = (number + 1) // 2
    bound = bytes.fromhex("".join(names[: written + 1])) + bytes([number])
    key = later[written - 1]
    return blake2b(bound, key=key, person=b"optout regime", digest_size=8).hexdigest()
