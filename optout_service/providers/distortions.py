"""What happens to a signed request on its way: each distortion undone, to see whether it was that.

Everything here makes candidates: a URL or a set of fields as Twilio may have signed them, with the
name of what would then have gone wrong. Nothing is decided here.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, islice, permutations, product
from typing import Final
from urllib.parse import SplitResult, quote, unquote

from werkzeug.datastructures import MultiDict

Fields = MultiDict[str, str]

_PORTS: Final = ("80", "443", "3000", "5000", "8000", "8080", "8443")
_PLACE: Final = ("City", "State", "Zip", "Country")
# What Twilio sends blank when it does not know: sorted by the kind of request that carries it.
_OFTEN_BLANK: Final = {
    "MessageSid": tuple(f"{end}{part}" for end in ("From", "To") for part in _PLACE),
    "CallSid": tuple(
        f"{end}{part}" for end in ("From", "To", "Caller", "Called") for part in _PLACE
    ),
}
_MOST_SUBSETS: Final = 8
_MOST_FIELDS: Final = 100
_SPACES: Final = (" ", "\n", "\r\n", "\t", "  ")


def origins(
    parts: SplitResult, hosts: Iterable[str], credentials: str
) -> Iterator[tuple[tuple[str, ...], SplitResult]]:
    """The same path elsewhere: another scheme, another port, another host, a password before it.

    ``hosts``: what else the service may be called, with or without a port. ``credentials``: user
    and password as the request carries them, or "".
    """
    userinfo, _, here = parts.netloc.rpartition("@")
    bare = _without_port(here)
    named = [(host, "host") for host in hosts if _without_port(host) != bare]
    same = [(host, "port") for host in hosts if _without_port(host) == bare and host != here]
    same += [(bare, "port")] if bare != here else []
    same += [(f"{bare}:{port}", "port") for port in _PORTS if f"{bare}:{port}" != here]
    for netloc, changed in ((here, ""), *same, *named):
        for scheme in (parts.scheme, "http" if parts.scheme == "https" else "https"):
            for user in dict.fromkeys((userinfo, credentials)):
                faults = (
                    *(("scheme",) if scheme != parts.scheme else ()),
                    *((changed,) if changed else ()),
                    *(("credentials",) if user != userinfo else ()),
                )
                at = f"{user}@{netloc}" if user else netloc
                yield faults, parts._replace(scheme=scheme, netloc=at)


def paths(
    parts: SplitResult, prefixes: Iterable[str]
) -> Iterator[tuple[tuple[str, ...], SplitResult]]:
    """The same place by another path: a prefix more or less, encoded otherwise, another end."""
    path = parts.path or "/"
    yield (), parts
    for prefix in prefixes:
        yield ("path prefix",), parts._replace(path=f"{prefix.rstrip('/')}{path}")
    segments = path.split("/")
    for dropped in range(2, len(segments)):
        yield ("path prefix",), parts._replace(path="/" + "/".join(segments[dropped:]))
    yield from _encoded(parts)
    other_end = path.rstrip("/") if path.endswith("/") else f"{path}/"
    yield ("trailing slash",), parts._replace(path=other_end)


def queries(parts: SplitResult) -> Iterator[tuple[tuple[str, ...], SplitResult]]:
    """The same query in another order, or without what somebody added to it."""
    pairs = parts.query.split("&") if parts.query else []
    for order in islice(permutations(pairs), 1, 720):
        yield ("query order",), parts._replace(query="&".join(order))
    for left in range(len(pairs)):
        for some in combinations(pairs, left):
            yield ("added query",), parts._replace(query="&".join(some))


def fields_as_sent(fields: Fields) -> Iterator[tuple[tuple[str, ...], Fields]]:
    """The same form before it was decoded, trimmed, completed or cut short."""
    for names in _blanks_that_are_missing(fields):
        yield ("dropped blank field",), _with(fields, dict.fromkeys(names, ""))
    for name in islice(fields, _MOST_FIELDS):
        rest = fields.copy()
        del rest[name]
        yield ("added field",), rest
    for name in islice(fields, _MOST_FIELDS):
        value = fields[name]
        for space in _SPACES:
            for whole in (f"{value}{space}", f"{space}{value}", f"{space}{value}{space}"):
                yield ("trimmed whitespace",), _with(fields, {name: whole})
    for changed, change in _RECODED:
        if (recoded := _each(fields, change)) is not None and recoded != fields:
            yield (changed,), recoded


def _encoded(parts: SplitResult) -> Iterator[tuple[tuple[str, ...], SplitResult]]:
    """What a framework or a proxy decoded, encoded again in each of the usual ways."""
    seen = {parts}
    for left_in_path, left_in_query in product(("/", "/:@", "/!*'()"), ("", "/", "/:@!*'()")):
        path = quote(unquote(parts.path), safe=left_in_path)
        query = quote(unquote(parts.query), safe=f"{left_in_query}=&")
        for tilde, space in product(("~", "%7E"), ("%20", "+")):
            candidate = parts._replace(
                path=path.replace("~", tilde),
                query=query.replace("~", tilde).replace("%20", space),
            )
            if candidate not in seen:
                seen.add(candidate)
                yield ("decoded URL",), candidate


def _blanks_that_are_missing(fields: Fields) -> Iterator[tuple[str, ...]]:
    for kind, names in _OFTEN_BLANK.items():
        if kind not in fields:
            continue
        missing = [name for name in names if name not in fields]
        yield tuple(missing)
        for part in _PLACE:
            yield tuple(name for name in missing if not name.endswith(part))
        few = range(1, len(missing) + 1) if len(missing) <= _MOST_SUBSETS else (1, 2)
        for count in few:
            yield from combinations(missing, count)
    if "Body" not in fields:
        yield ("Body",)


def _with(fields: Fields, values: dict[str, str]) -> Fields:
    changed = fields.copy()
    for name, value in values.items():
        changed[name] = value
    return changed


def _each(fields: Fields, change: Callable[[str], str]) -> Fields | None:
    try:
        return MultiDict((name, change(value)) for name, value in fields.items(multi=True))
    except UnicodeError:
        return None


_RECODED: Final[tuple[tuple[str, Callable[[str], str]], ...]] = (
    ("plus decoded twice", lambda value: f"+{value[1:]}" if value[:1] == " " else value),
    ("line ends", lambda value: value.replace("\n", "\r\n")),
    ("line ends", lambda value: value.replace("\r\n", "\n")),
    ("character set", lambda value: value.encode("latin-1").decode("utf-8")),
    ("character set", lambda value: value.encode("cp1252").decode("utf-8")),
)


def _without_port(host: str) -> str:
    return re.sub(r":\d*$", "", host)
