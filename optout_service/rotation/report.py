"""Which keys there are, and what is stored under each."""

from dataclasses import dataclass

from optout_service.runtime import Runtime
from optout_service.store import resealing


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a ring, by its fingerprint; ``use``: what it is good for now, in words."""

    ring: str
    fingerprint: str
    newest: bool
    use: str


def keys(rt: Runtime) -> list[Key]:
    """All keys, oldest first. Raises WrongKeys, StoreUnavailable."""
    return [*_peppers(rt), *_encryption(rt), *_signing(rt)]


def _peppers(rt: Runtime) -> list[Key]:
    prints = rt.keys.fingerprints
    regime = rt.belief.look()
    uses = {
        regime.before: "digests move away from it" if regime.moving else "digests are under it",
        regime.written: "digests move to it" if regime.moving else "digests are under it",
    }
    names = (prints.pepper, *prints.covers)
    return [
        Key(
            "pepper",
            name,
            place == len(names),
            uses.get(place)
            or ("needed for ever" if place < regime.written else "next: optout keys rotate pepper"),
        )
        for place, name in enumerate(names, start=1)
    ]


def _encryption(rt: Runtime) -> list[Key]:
    with rt.reading_one_state() as connection:
        counts = resealing.counts(connection, rt.keys)
    newest = rt.keys.fingerprints.encryption[-1]
    return [
        Key("encryption", name, name == newest, f"{rows} texts are encrypted with it")
        for name, rows in counts.items()
    ]


def _signing(rt: Runtime) -> list[Key]:
    *older, newest = rt.keys.fingerprints.signing
    return [
        *(Key("signing", one, newest=False, use="what it signed is read") for one in older),
        Key("signing", newest, newest=True, use="signs"),
    ]
