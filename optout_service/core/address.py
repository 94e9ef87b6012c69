"""Addresses: one canonical form each, and the SHA-256 of it.

The canonical form is part of the key under which a suppression is stored: a change of it is a
silent "allowed". It has a version, and golden examples pin it. An address that is odd but possible
is never refused, since it may be an opt-out; one that is impossible always is, since an opt-out
stored under it would be a promise to nobody.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import chain
from typing import Any, Final, Literal, Self

import idna
import phonenumbers

from optout_service.core.errors import InvalidAddress
from optout_service.core.scope import ANY, Kind, kind_of

CANONICAL_VERSION: Final = 1
MAX_EMAIL_OCTETS: Final = 320
"""64 for the local part, one for the @, 255 for the domain (RFC 5321, 4.5.3.1)."""

HASH_PREFIX: Final = "sha256:"

_TOO_LONG: Final = f"A mail address has at most {MAX_EMAIL_OCTETS} octets."

# What copying from documents, chats and contact lists leaves: soft hyphen, zero-width characters,
# joiners, marks of direction, BOM.
_INVISIBLE: Final = "\u00ad\u061c\u180e\u2060\ufeff" + "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
# White space as Unicode has it (PropList, White_Space), within a line and between lines.
_SPACES: Final = " \t\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_ENDS: Final = _SPACES + "\n\v\f\r\u0085\u2028\u2029" + _INVISIBLE
_LINE_BREAKS_AND_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})

_HASHED = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII | re.IGNORECASE)
_PLAIN_EMAIL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9_-]+(?:\.[a-z0-9_-]+)*", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOT_BARE: Final = (
    (re.compile(r"[<>\s]"), "Give the bare address, without a name, brackets or spaces."),
    (re.compile(r"[@,;]"), "Give one address, with one @."),
    (re.compile(r"[():]"), "Give the bare address: no mailto:, no comment."),
    (re.compile(r'"'), "A quoted name ends with a quote, before the @."),
)
# RFC 5321, 4.1.3: printable ASCII but brackets and backslash.
_LITERAL = re.compile(r"\[[!-Z^-~]+\]", re.ASCII)
# Letters, digits and hyphens; underscores too, since there are hosts with them.
_DOMAIN = re.compile(r"(?:[a-z0-9_-]|[^\s\x00-\x7f])+(?:\.(?:[a-z0-9_-]|[^\s\x00-\x7f])+)*")
_STOPS = re.compile("[.\u3002\uff0e\uff61]")  # the full stops of IDNA (UTS 46, 2.3)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_MAX_WRITTEN_PHONE: Final = 100
_BETWEEN = "[" + re.escape(_SPACES + _INVISIBLE + "()[].-/·（）［］．－／") + "\u2010-\u2015\u2212]"
# After a mere comma (a pause, in dialling) more than six digits are not an extension but another
# number: a list is refused rather than cut.
_EXTENSION = (
    r"(?:(?:;ext=|[,;]? ?e?xt(?:ensi[oó]n?)?n?|доб|anexo|int|[xｘ#＃])[:.]?[ ,-]*\d{1,9}"
    r"|[,;]+ ?\d{1,6})#?"
)
_WRITTEN_PHONE = re.compile(
    rf"{_BETWEEN}*[+＋]+(?P<digits>(?:{_BETWEEN}*\d)+){_BETWEEN}*(?:{_EXTENSION})?",
    re.IGNORECASE,
)


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
        return cls.of(kind, canonical(kind, text))

    @classmethod
    def of(cls, kind: Kind, value: str) -> Self:
        """The address of a canonical form, as ``parse`` gave it once; it is not looked at again."""
        return cls(kind, sha256(value.encode()).digest(), value)

    @classmethod
    def parse_for(cls, channel: str, text: str) -> Self:
        """Read the address of a channel; for ``*`` the text itself must show its kind.

        Raises UnknownChannel and InvalidAddress.
        """
        if channel != ANY:
            return cls.parse(kind_of(channel), text)
        if _hash_in(text) is not None:
            raise InvalidAddress("A hashed address needs a channel: nothing else tells its kind.")
        if "@" in text:
            return cls.parse(Kind.EMAIL, text)
        if "+" in text or "＋" in text:
            return cls.parse(Kind.PHONE, text)
        raise InvalidAddress("Give a mail address, or a phone number with + and its country code.")

    @property
    def spoken(self) -> str:
        """In clear, for whoever gave it to us or may see it; what came hashed stays hashed."""
        return self.value if self.value is not None else f"sha256:{self.sha256.hex()}"

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
    """``Address.parse(...).sha256`` without the object, for batches. Raises InvalidAddress."""
    if ":" in text and (hashed := _hash_in(text)) is not None:
        return hashed
    value = canonical_email(text) if kind is Kind.EMAIL else canonical_phone(text)
    return sha256(value.encode()).digest()


def canonical_email(text: str) -> str:
    """Trimmed, NFC, lower case, the domain in IDNA's ASCII form; dots and plus tags stay.

    Raises InvalidAddress for what no mail can be sent to. About 0.5 us for the ordinary.
    """
    lowered = text.strip(_ENDS).lower()
    # What matches is already what the exact way comes to.
    if len(lowered) <= MAX_EMAIL_OCTETS and _PLAIN_EMAIL.fullmatch(lowered):
        return lowered
    return _canonical_odd_email(text)


def canonical_phone(text: str) -> str:
    """E.164 (ITU-T): ``+``, country calling code, number. About 1 us for what is that already.

    Possible is enough (``is_possible_number``): ranges open faster than tables are updated.
    Extensions are dropped. Raises InvalidAddress for national forms, short codes and names.
    """
    if _E164.fullmatch(text) and _is_plainly_possible(text):
        return text
    return _canonical_odd_phone(text)


def mask(kind: Kind, value: str) -> str:
    """A canonical address as it may be shown: ``a•••@e•••.com``, ``+1••••••••71``.

    Of a part so short that this would be half of it or more, nothing is shown.
    """
    if kind is Kind.PHONE:
        plan = _plan(value[1:4])
        code = value[: plan.start] if plan else "+"
        last = value[-2:] if len(value) - len(code) > 4 else ""
        return f"{code}{'•' * max(len(value) - len(code) - len(last), 3)}{last}"
    local, _, domain = value.rpartition("@")
    name, dot, last = domain.rpartition(".")
    shown = f"{local[0] if len(local) > 2 else ''}•••@"
    if not dot or domain.startswith("["):
        return f"{shown}•••"
    return f"{shown}{name[0] if len(name) > 2 else ''}•••.{last}"


def _hash_in(text: str) -> bytes | None:
    """The hash in a hashed address, None in other texts. Raises InvalidAddress for half a one."""
    # No other address begins so: a colon stands in a mail address only between quotes.
    trimmed = text.strip(_ENDS)
    if trimmed[: len(HASH_PREFIX)].lower() != HASH_PREFIX:
        return None
    if found := _HASHED.fullmatch(trimmed):
        return bytes.fromhex(found[1])
    raise InvalidAddress("A hashed address is sha256: and 64 hex digits.")


def _canonical_odd_email(text: str) -> str:
    """The exact way of ``canonical_email``, for every text."""
    bare = unicodedata.normalize("NFC", text.strip(_ENDS))
    # Twice: a domain may be longer as it is written than in ASCII, by what IDNA leaves out.
    if len(bare) > 2 * MAX_EMAIL_OCTETS:
        raise InvalidAddress(_TOO_LONG)
    if any(unicodedata.category(character) in _LINE_BREAKS_AND_CONTROLS for character in bare):
        raise InvalidAddress("A mail address has no control characters and no line breaks.")
    local, at, domain = bare.rpartition("@")
    if not at or not local or not domain:
        raise InvalidAddress("A mail address has a name, an @ and a domain: name@example.com.")
    unquoted = _QUOTED.sub("", local)
    for fault, detail in _NOT_BARE:
        if fault.search(unquoted):
            raise InvalidAddress(detail)
    value = f"{_lower(local)}@{_ascii_domain(domain)}"
    if len(value.encode()) > MAX_EMAIL_OCTETS:
        raise InvalidAddress(_TOO_LONG)
    return value


def _lower(text: str, form: Literal["NFC", "NFKC"] = "NFC") -> str:
    """Lower case and normalised, until neither changes anything."""
    while (folded := unicodedata.normalize(form, text.lower())) != text:
        text = folded
    return text


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str:
    """UTS 46's ToASCII without its judgement: mapped, and each label in Punycode (RFC 3492).

    Whatever IDNA holds of a label (emoji, underscores, length, direction), the form is the one that
    a browser or a laxer library would give it. Raises InvalidAddress for what is no domain at all.
    """
    if domain.startswith("["):
        if _LITERAL.fullmatch(domain):
            return domain.lower()
        raise InvalidAddress("A domain in brackets is an IP address, such as [192.0.2.1].")
    mapped = ".".join(_mapped(label) for label in _STOPS.split(domain)).removesuffix(".")
    if not _DOMAIN.fullmatch(mapped):
        raise InvalidAddress("A domain has letters, digits, hyphens and single dots, no more.")
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
        for label in mapped.split(".")
    )


def _mapped(label: str) -> str:
    """A label as UTS 46 folds it (section 4, step 1); by NFKC where its table has no answer."""
    # Not str.lower, which makes a final sigma of Σ: in IDNA that is another name.
    try:
        return idna.uts46_remap(label, std3_rules=False)
    except idna.IDNAError:
        return _lower(label, "NFKC")


def _canonical_odd_phone(text: str) -> str:
    """The exact way of ``canonical_phone``, for every text."""
    trimmed = text.strip(_ENDS)
    written = _WRITTEN_PHONE.fullmatch(trimmed) if len(trimmed) <= _MAX_WRITTEN_PHONE else None
    if written is None:
        raise InvalidAddress(
            "Write one phone number with + and its country code, in digits, such as +14155552671, "
            "without tel: before it. Short codes and names are senders, and take no messages."
        )
    # int() knows the decimal digits of every script, as the pattern does.
    number = "+" + "".join(str(int(digit)) for digit in re.findall(r"\d", written["digits"]))
    # The library drops one national prefix at a time, and +49 0 0 30 901820 has two. Rounds are
    # counted: a country's rewriting rule could lead in a circle, and so to no form at all.
    for _ in range(len(number)):
        try:
            parsed = phonenumbers.parse(number, None)
        except phonenumbers.NumberParseException:
            break
        formatted: str = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        if formatted == number and phonenumbers.is_possible_number(parsed):
            return number
        if formatted == number:
            break
        number = formatted
    raise InvalidAddress("No country has such a number: check its country code and its length.")


def _is_plainly_possible(text: str) -> bool:
    """Whether the library would give this E.164 text back as it is, told from its tables alone."""
    # It takes 27 us a number, a quarter of a second a batch, and changes well-formed E.164 only
    # where a national prefix could be meant: those numbers are left to it.
    if (plan := _plan(text[1:4])) is None:
        return False
    national = text[plan.start :]
    return len(national) in plan.lengths and not (plan.prefix and plan.prefix(national))


@dataclass(frozen=True, slots=True)
class _Plan:
    """Of a calling code: where the number after it starts, its lengths, what may be a prefix."""

    start: int
    lengths: frozenset[int]
    prefix: Callable[[str], re.Match[str] | None] | None


@lru_cache(maxsize=1000)
def _plan(first: str) -> _Plan | None:
    """The calling code that the first three digits begin with, as the library's tables have it.

    Read when first asked for, since each country's table is a module. None: no such code.
    """
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    codes = (int(first[:width]) for width in (1, 2, 3)) if first.isdecimal() else ()
    code = next((code for code in codes if code in regions), None)
    if code is None:
        return None
    # Of regions that share a code the library takes the first, the main one, for all.
    main = regions[code][0]
    table: Any = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, main)
    lengths = table.general_desc.possible_length, table.general_desc.possible_length_local_only
    prefix = table.national_prefix_for_parsing
    return _Plan(
        1 + len(str(code)), frozenset(chain(*lengths)), re.compile(prefix).match if prefix else None
    )
