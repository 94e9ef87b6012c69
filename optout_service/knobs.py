"""What a knob is, and how the text of a variable is read. Raises Fault, which repeats no value."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import Field, field
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from optout_service.core import headers
from optout_service.core.errors import OptOutError

_DATABASES: Final = ("sqlite:///", "postgresql://", "postgresql+psycopg://")
_TRUE: Final = ("1", "true", "yes", "on")
_FALSE: Final = ("0", "false", "no", "off")
_LEAST_SECRET: Final = 16
_FILE: Final = "_FILE"
_LEVELS: Final = ("debug", "info", "warning", "error")


class Secret:
    """A text that prints as stars."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret()"


NO_SECRET: Final = Secret("")


class Fault(Exception):
    """What is wrong with one value, and what would be right. Never the value itself."""


def knob(default: Any, doc: str, read: Callable[[str], Any]) -> Any:
    """A field of Settings: its default, a line of doc, and what reads it from a text."""
    return field(default=default, metadata={"doc": doc, "read": read})


def text(value: str) -> str:
    """Any text."""
    return value


def path(value: str) -> Path:
    """A directory."""
    if not value:
        raise Fault("is empty; give a directory")
    return Path(value)


def secret(value: str) -> Secret:
    """A secret."""
    return Secret(value.strip())


def secrets(value: str) -> tuple[Secret, ...]:
    """Secrets, with commas or spaces between them."""
    return tuple(Secret(part) for part in value.replace(",", " ").split())


def long_secrets(value: str) -> tuple[Secret, ...]:
    """Secrets that somebody made up, none too short to be guessed."""
    found = secrets(value)
    if any(len(secret.reveal()) < _LEAST_SECRET for secret in found):
        raise Fault(f"has a secret of fewer than {_LEAST_SECRET} characters; make a longer one")
    return found


def database(value: str) -> Secret:
    """The URL of a database."""
    if value and not value.strip().startswith(_DATABASES):
        raise Fault(f"is none of: {', '.join(_DATABASES)}")
    try:
        # Reading the port is what tells a broken host or port.
        _ = urlsplit(value.strip()).port
    except ValueError:
        raise Fault("has a host or port that cannot be read") from None
    return Secret(value.strip())


def flag(value: str) -> bool:
    """On or off."""
    if value.lower() not in (*_TRUE, *_FALSE):
        raise Fault(f"is neither {'/'.join(_TRUE)} nor {'/'.join(_FALSE)}")
    return value.lower() in _TRUE


def number(least: int, most: int) -> Callable[[str], int]:
    """A whole number within these bounds."""

    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise Fault(f"is no whole number; give one from {least} to {most}") from None
        if not least <= number <= most:
            raise Fault(f"is not between {least} and {most}")
        return number

    return read


def day(value: str) -> date | None:
    """A day, as 2027-01-31; empty: none."""
    try:
        return date.fromisoformat(value.strip()) if value.strip() else None
    except ValueError:
        raise Fault("is no day; give one such as 2027-01-31, or nothing") from None


def level(value: str) -> str:
    """A level of the log."""
    if value.lower() not in _LEVELS:
        raise Fault(f"is none of: {', '.join(_LEVELS)}")
    return value.lower()


def url(value: str) -> str:
    """The address of a service: https, or http on this machine."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Fault("is no URL; give one such as https://optout.example.com")
    if parts.query or parts.fragment:
        raise Fault("has a query or a fragment; give scheme, host and path only")
    if parts.scheme == "http" and not headers.is_this_machine(parts.hostname):
        raise Fault("is http; links in mail must be https (http is for this machine alone)")
    try:
        headers.headers(f"{value}/u/x")
    except OptOutError:
        raise Fault("cannot stand in a mail's header; write it in ASCII, without commas") from None
    return value.rstrip("/")


def mailbox(value: str) -> str:
    """A mailbox, or nothing."""
    try:
        if value:
            headers.mailto_url(value, "")
    except OptOutError:
        raise Fault("is no mail address; give one such as unsubscribe@example.com") from None
    return value


SECRET: Final = (secret, secrets, long_secrets, database)
"""What may also come from a file."""


def take(
    name: str,
    environ: Mapping[str, str],
    known: Mapping[str, "Field[Any]"],
    given: dict[str, Any],
    faults: list[str],
) -> None:
    """Read one variable: its value into ``given``, or what is wrong with it into ``faults``.

    ``known``: the fields of Settings by the names of their variables.
    """
    bare = name.removesuffix(_FILE)
    found = known.get(name) or known.get(bare)
    if found is None:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; docs/settings.md lists what there is."
        faults.append(f"{name}: there is no such setting{hint}")
        return
    try:
        text = environ[name] if name in known else _file(found, environ, bare, name)
        given[found.name] = found.metadata["read"](text)
    except Fault as fault:
        faults.append(f"{name}: it {fault}.")


def _file(found: "Field[Any]", environ: Mapping[str, str], bare: str, name: str) -> str:
    if found.metadata["read"] not in SECRET:
        raise Fault(f"is for secrets only; set {bare} itself")
    if bare in environ:
        raise Fault(f"and {bare} are both set; keep one of them")
    try:
        return Path(environ[name]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise Fault("names a file that cannot be read; give its path, readable to us") from None
