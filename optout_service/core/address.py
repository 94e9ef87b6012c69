"""Addresses: one canonical form each, and the SHA-256 of it.

The canonical form is part of the key under which a suppression is stored: a change of it is a
silent "allowed". It has a version, and golden examples pin it. An address that is odd but possible
is never refused, since it may be an opt-out.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Self

import idna
import phonenumbers

from optout_service.core.errors import InvalidAddress
from optout_service.core.scope import ANY, Kind, kind_of

CANONICAL_VERSION: Final = 1
MAX_EMAIL_OCTETS: Final = 320
"""64 for the local part, one for the @, 255 for the domain (RFC 5321, 4.5.3.1)."""

_HASHED = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
# White space, and what copying from documents and chats leaves at the ends: BOM, joiners, marks.
_ENDS: Final = " \t\r\n\f\v\u00a0\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_PLAIN_EMAIL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One address. ``value`` is its canonical form, or None where only the hash was given."""

    kind: Kind
    sha256: bytes
    value: str | None

    @classmethod
    def parse(cls, kind: Kind, text: str) -> Self:
        """Read an address, or ``sha256:`` and the 64 hex digits of a canonical form's SHA-256.

        Raises InvalidAddress, which says what to do and never repeats the text.
        """
        if (hashed := _hash_in(text)) is not None:
            return cls(kind, hashed, None)
        value = canonical(kind, text)
        return cls(kind, _sha256_of(value), value)

    @classmethod
    def parse_for(cls, channel: str, text: str) -> Self:
        """Read the address of a channel; for ``*`` the text itself must show its kind.

        Raises UnknownChannel and InvalidAddress.
        """
        if channel != ANY:
            return cls.parse(kind_of(channel), text)
        if _hash_in(text) is not None:
            raise InvalidAddress("A hashed address needs a channel: nothing else tells its kind.")
        return cls.parse(Kind.EMAIL if "@" in text else Kind.PHONE, text)

    @property
    def masked(self) -> str:
        """Enough for its owner to recognise it, and too little for anybody else."""
        if self.value is None:
            return f"sha256:{self.sha256.hex()[:4]}…"
        return mask(self.kind, self.value)

    def __repr__(self) -> str:
        return f"Address({self.masked})"


def canonical(kind: Kind, text: str) -> str:
    """The one form of an address under which it is stored. Raises InvalidAddress."""
    return canonical_email(text) if kind is Kind.EMAIL else canonical_phone(text)


def canonical_sha256(kind: Kind, text: str) -> bytes:
    """The SHA-256 of the canonical form, without making an object: for batches.

    Raises InvalidAddress.
    """
    return _hash_in(text) or _sha256_of(canonical(kind, text))


def canonical_email(text: str) -> str:
    """Trimmed, NFC, lower case, the domain in IDNA's ASCII form; dots and plus tags stay.

    Raises InvalidAddress for what no mail can be sent to. About 1 us for the ordinary.
    """
    lowered = text.strip(_ENDS).lower()
    if (
        _PLAIN_EMAIL.fullmatch(lowered)
        and len(lowered) <= MAX_EMAIL_OCTETS
        # Already what the long way comes to; xn-- labels alone may have another spelling.
        and "xn--" not in lowered
    ):
        return lowered
    return _canonical_odd_email(text)


def canonical_phone(text: str) -> str:
    """E.164 (ITU-T): ``+``, country calling code, number.

    Possible is enough (``is_possible_number``): ranges open faster than tables are updated.
    Extensions are dropped. Raises InvalidAddress for national forms, short codes and names.
    """
    if _E164.fullmatch(text) and _is_plainly_possible(text):
        return text
    return _canonical_odd_phone(text)


def mask(kind: Kind, value: str) -> str:
    """A canonical address as it may be shown: ``a•••@e•••.com``, ``+1•••••••71``."""
    if kind is Kind.PHONE:
        parsed = phonenumbers.parse(value)
        code = f"+{parsed.country_code}"
        return f"{code}{'•' * max(len(value) - len(code) - 2, 3)}{value[-2:]}"
    local, _, domain = value.rpartition("@")
    name, dot, last = domain.rpartition(".")
    shown = local[0] if len(local) > 2 else ""
    if not dot or not name:
        return f"{shown}•••@•••"
    return f"{shown}•••@{name[0] if len(name) > 2 else ''}•••.{last}"


def _sha256_of(value: str) -> bytes:
    return sha256(value.encode()).digest()


def _hash_in(text: str) -> bytes | None:
    if text[:7].lower() != "sha256:":
        return None
    if found := _HASHED.fullmatch(text):
        return bytes.fromhex(found[1])
    raise InvalidAddress("A hashed address is sha256: and 64 hex digits.")


def _canonical_odd_email(text: str) -> str:
    folded = _lower(text.strip(_ENDS))
    local, at, domain = folded.rpartition("@")
    if not at or not local or not domain:
        raise InvalidAddress("A mail address has a name, an @ and a domain.")
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in folded):
        raise InvalidAddress("A mail address has no control characters and no line breaks.")
    if any(character.isspace() for character in domain) or _has_bare_space(local):
        raise InvalidAddress("Give the bare address, without a name and without spaces.")
    if any(character in "<>(),;:" for character in _QUOTED.sub("", local)):
        raise InvalidAddress("Give the bare address: no brackets, no mailto:, no list.")
    if any(character in "<>,;" for character in domain):
        raise InvalidAddress("Give the bare address: no brackets, no list.")
    value = f"{local}@{_ascii_domain(domain)}"
    if len(value.encode()) > MAX_EMAIL_OCTETS:
        raise InvalidAddress(f"A mail address has at most {MAX_EMAIL_OCTETS} octets.")
    return value


def _lower(text: str) -> str:
    """NFC and lower case, until neither changes anything (``İ`` takes two rounds)."""
    while (folded := unicodedata.normalize("NFC", text.lower())) != text:
        text = folded
    return text


def _has_bare_space(local: str) -> bool:
    return any(character.isspace() for character in _QUOTED.sub("", local))


def _ascii_domain(domain: str) -> str:
    if domain.startswith("["):
        return domain
    bare = domain[:-1] if domain.endswith(".") and len(domain) > 1 else domain
    if bare.isascii() and "xn--" not in bare:
        return bare
    # IDNA knows other full stops than ours (UTS 46, 2.3).
    for stop in "\u3002\uff0e\uff61":
        bare = bare.replace(stop, ".")
    return ".".join(_ascii_label(label) for label in bare.split("."))


@lru_cache(maxsize=4096)
def _ascii_label(label: str) -> str:
    """IDNA (RFC 5891 with UTS 46); for what it refuses, still one and the same form."""
    try:
        return idna.encode(_unicode_label(label), uts46=True).decode().lower() if label else ""
    except (idna.IDNAError, UnicodeError):
        folded = _lower(unicodedata.normalize("NFKC", label))
        if folded.isascii():
            return folded
        return "xn--" + folded.encode("punycode").decode("ascii").lower()


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    return idna.decode(label)


def _canonical_odd_phone(text: str) -> str:
    stripped = unicodedata.normalize("NFKC", text.strip(_ENDS))
    if not stripped.startswith("+"):
        raise InvalidAddress(
            "Write the phone number with + and its country code, such as +14155552671. Short codes "
            "and names are senders, and take no messages."
        )
    try:
        parsed = phonenumbers.parse(stripped, None)
    except phonenumbers.NumberParseException:
        raise InvalidAddress("This is no phone number of any country.") from None
    if not phonenumbers.is_possible_number(parsed):
        raise InvalidAddress("A phone number of this country has more, or fewer, digits.")
    formatted: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return formatted


def _is_plainly_possible(text: str) -> bool:
    """Whether the library would give this very text back, told from its tables alone.

    The library takes 27 us a number, a quarter of a second a batch. It changes well-formed E.164
    only where a national prefix could be meant, so those countries are left to it.
    """
    for width in (1, 2, 3):
        if (country := _country(int(text[1 : 1 + width]))) is not None:
            national = text[1 + width :]
            return (
                len(national) in country.lengths
                and national[0] != "0"
                and not (country.prefix and country.prefix.match(national))
            )
    return False


@dataclass(frozen=True, slots=True)
class _Country:
    lengths: frozenset[int]
    prefix: re.Pattern[str] | None


@lru_cache(maxsize=1000)
def _country(code: int) -> _Country | None:
    """What the library's tables say of a calling code; None where there is no such code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)
    if regions is None:
        return None
    table: Any = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
    general = table.general_desc
    prefix = table.national_prefix_for_parsing
    return _Country(
        frozenset((*general.possible_length, *(general.possible_length_local_only or ()))),
        re.compile(prefix) if prefix else None,
    )
