"""Which keys a database was made with. With another pepper every check would say "allowed"."""

from typing import Final

from sqlalchemy import Connection, insert, select, update

from optout_service.core.covers import Regime
from optout_service.core.errors import Conflict, Misconfigured, WrongKeys
from optout_service.core.keyring import KeyRing
from optout_service.store.tables import seal

_CANARY: Final = b"opted out means opted out"
CONTEXT: Final = "canary"
"""Under which the canary is sealed."""
_MARK: Final = "!"
"""Stands in place of the first digit of the pepper's fingerprint while the database is in
quarantine. Every check compares the whole fingerprint, so none is answered, by any release."""

QUARANTINED_FROM_THE_FIRST: Final = (
    f"UPDATE seal SET pepper = '{_MARK}' || substr(pepper, 2) WHERE pepper NOT LIKE '{_MARK}%'"
)
"""``quarantine`` for who has no keys at hand: a copy that is put back, before anybody sees it."""


def put_on(conn: Connection, keys: KeyRing) -> bool:
    """Seal a new database with these keys. Says whether it was new; a sealed one is left alone."""
    if conn.execute(select(seal.c.id)).first() is not None:
        return False
    prints = keys.fingerprints
    conn.execute(
        insert(seal),
        {
            "id": 1,
            "pepper": prints.pepper,
            "encryption": " ".join(prints.encryption),
            "signing": " ".join(prints.signing),
            "canary": keys.seal(_CANARY, CONTEXT),
        },
    )
    return True


def verify(conn: Connection, keys: KeyRing) -> None:
    """Raises WrongKeys when the keys are not the database's, Misconfigured when it has no seal."""
    row = conn.execute(select(seal.c.pepper, seal.c.encryption, seal.c.canary)).one_or_none()
    if row is None:
        raise Misconfigured("The database has not been set up for any keys. Run: optout db upgrade")
    pepper, encryption, canary = row
    _require_regime(pepper, keys)
    prints = keys.fingerprints
    if missing := sorted(set(encryption.split()) - set(prints.encryption)):
        raise WrongKeys(
            f"The encryption keys {', '.join(missing)} (fingerprints), with which addresses and "
            "evidence were encrypted, are missing. Put them back into OPTOUT_ENCRYPTION_KEYS or "
            "the file keys/encryption, older ones first."
        )
    if keys.open(canary, CONTEXT) != _CANARY:
        raise WrongKeys("The canary row does not open under these keys.")


def require_ours(pepper: str, keys: KeyRing) -> None:
    """Refuse to write digests into a database of other digests, where none would ever be found.

    ``pepper``: as the seal has it; one in quarantine is ours. Raises WrongKeys.
    """
    _require_regime(pepper, keys)


def regime_of(conn: Connection, keys: KeyRing) -> Regime:
    """Under which regime the database stands, in quarantine or not.

    Raises Misconfigured when it has no seal, and WrongKeys when our ring cannot serve it.
    """
    pepper = conn.execute(select(seal.c.pepper)).scalar_one_or_none()
    if pepper is None:
        raise Misconfigured("The database has not been set up for any keys. Run: optout db upgrade")
    return _require_regime(pepper, keys)


def change_regime(conn: Connection, before: Regime, after: Regime) -> None:
    """From the commit on checks are answered under another regime. Hold every tenant's lock.

    Raises Conflict where the database is in quarantine, or under another regime than ``before``.
    """
    if not _replace(conn, before.fingerprint, after.fingerprint):
        raise Conflict(
            "The database is in quarantine, or somebody else changes its pepper just now. Look: "
            "optout evidence quarantine; then run this again."
        )


def quarantine(conn: Connection, keys: KeyRing) -> bool:
    """Let no check be answered from here on. Says whether that is new."""
    return any(
        _replace(conn, one.fingerprint, _marked(one.fingerprint)) for one in keys.regimes.all
    )


def release(conn: Connection, keys: KeyRing) -> bool:
    """Let checks be answered again. Says whether that is new."""
    return any(
        _replace(conn, _marked(one.fingerprint), one.fingerprint) for one in keys.regimes.all
    )


def in_quarantine(pepper: str) -> bool:
    """Whether this, of the seal, says so."""
    return pepper.startswith(_MARK)


def is_quarantined(conn: Connection) -> bool:
    """Whether the database is in quarantine."""
    return in_quarantine(conn.execute(select(seal.c.pepper)).scalar_one())


def note_rings(conn: Connection, keys: KeyRing) -> None:
    """Remember keys that have been added to the rings, so that leaving one out later is noticed.

    Of the encryption ring the newest: it alone seals, and an older one may have been retired.
    """
    prints = keys.fingerprints
    known = conn.execute(select(seal.c.encryption, seal.c.signing)).one()
    wanted = (
        " ".join(dict.fromkeys((*known[0].split(), prints.encryption[-1]))),
        " ".join(dict.fromkeys((*known[1].split(), *prints.signing))),
    )
    if wanted != tuple(known):
        conn.execute(update(seal).values(encryption=wanted[0], signing=wanted[1]))


def forget_encryption(conn: Connection, fingerprint: str) -> None:
    """Demand a key of the encryption ring no longer. For whoever knows that nothing is under it."""
    known = conn.execute(select(seal.c.encryption)).scalar_one().split()
    kept = " ".join(one for one in known if one != fingerprint)
    conn.execute(update(seal).values(encryption=kept))


def _require_regime(pepper: str, keys: KeyRing) -> Regime:
    for regime in keys.regimes.all:
        if pepper in (regime.fingerprint, _marked(regime.fingerprint)):
            return regime
    given = ", ".join((keys.fingerprints.pepper, *keys.fingerprints.covers))
    raise WrongKeys(
        f"The database was made with the pepper {pepper}, and the one given is {given} "
        "(fingerprints). With it every address would look as if nobody had opted out, so the "
        "service does not start. Put the original pepper back: OPTOUT_PEPPER, "
        "OPTOUT_PEPPER_FILE, or the file keys/pepper in the data directory, from your escrow "
        "or your backup. Where the pepper was rotated, it takes all of them, oldest first. If "
        "this is the wrong database, correct OPTOUT_DATABASE_URL."
    )


def _marked(fingerprint: str) -> str:
    return _MARK + fingerprint[1:]


def _replace(conn: Connection, old: str, new: str) -> bool:
    return conn.execute(update(seal).where(seal.c.pepper == old).values(pepper=new)).rowcount == 1
