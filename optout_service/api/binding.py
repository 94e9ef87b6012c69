"""From the bytes of a request to a shape of ``bodies``, or a refusal that repeats nothing.

msgspec's own messages quote what was sent: a value, or the name of a field that it does not know.
Either can be somebody's address in the wrong place. So the texts here are made of our own names
and types alone.
"""

import re
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from flask import request
from msgspec import Struct, inspect
from msgspec.json import Decoder

from optout_service.core.errors import (
    InvalidRequest,
    Malformed,
    OptOutError,
    UnsupportedMediaType,
)

T = TypeVar("T", bound=Struct)

_JSON: Final = "application/json"
_MESSAGE: Final = re.compile(
    r"(?P<what>.*?)(?: - at `\$(?P<path>(?:\.[a-z_]+|\[\d{1,6}\])*)`)?",
    re.DOTALL | re.ASCII,
)
_EXPECTED: Final = re.compile(r"Expected `([a-z |]+)`((?: of length)? [<>]= \d+)?.*", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,19}", re.ASCII)
_MISSING: Final = re.compile(r"Object missing required field `([a-z_]+)`", re.ASCII)


def body(decoder: Decoder[T]) -> T:
    """This request's JSON body. Raises as ``raw`` and ``decode`` do."""
    return decode(decoder, raw())


def raw() -> bytes:
    """The bytes of this request's JSON body.

    Raises UnsupportedMediaType, Malformed (nothing there), and what the server says of a body over
    the limit.
    """
    # Of the environment itself: the request's own properties are parsed anew on every check.
    content_type = request.environ.get("CONTENT_TYPE", "")
    if content_type != _JSON and request.mimetype != _JSON:
        if not content_type and not request.get_data(cache=True):
            raise Malformed("The body is empty. Send a JSON object.")
        raise UnsupportedMediaType("Send JSON, with the header Content-Type: application/json.")
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise UnsupportedMediaType("This path does not read compressed bodies. Send plain JSON.")
    return request.get_data(cache=False)


def decode(decoder: Decoder[T], given: bytes) -> T:
    """A shape from JSON. Raises Malformed (no JSON, no UTF-8) or InvalidRequest (does not fit)."""
    try:
        return decoder.decode(given)
    except msgspec.ValidationError as fault:
        raise _misfit(decoder.type, str(fault)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Malformed("The body is not JSON in UTF-8.") from None


def query(shape: type[T]) -> T:
    """This request's query string as a shape.

    Raises InvalidRequest for a parameter that is unknown, repeated, or does not fit.
    """
    given = request.args.to_dict(flat=False)
    for name, values in given.items():
        if len(values) > 1:
            known = {"field": name} if name in shape.__struct_encode_fields__ else {}
            raise InvalidRequest("This parameter is given more than once.", **known)
    numbers = _numbers(shape)
    plain = {
        name: int(value) if name in numbers and _NUMBER.fullmatch(value) else value
        for name, (value,) in given.items()
    }
    try:
        # Strict, since msgspec would otherwise take "170000000" for a time.
        return msgspec.convert(plain, shape)
    except msgspec.ValidationError as fault:
        raise _misfit(shape, str(fault)) from None


def at_index(error: OptOutError, index: int) -> OptOutError:
    """The same refusal, saying which one of a list it is about."""
    return type(error)(error.detail, **{**error.extra, "index": index})


@cache
def _numbers(shape: type[Struct]) -> frozenset[str]:
    fields = _fields(inspect.type_info(shape))
    return frozenset(f.encode_name for f in fields if isinstance(_bare(f.type), inspect.IntType))


def _misfit(shape: Any, message: str) -> InvalidRequest:
    parts = _MESSAGE.fullmatch(message)
    path = (parts and parts["path"]) or ""
    what = parts["what"] if parts else ""
    place = _place(inspect.type_info(shape), path)
    if place is None:
        return InvalidRequest("The request does not fit what this path reads.")
    if (missing := _MISSING.fullmatch(what)) and missing[1] in _names(place):
        path = f"{path}.{missing[1]}"
    detail = "This field is required." if missing else _detail(what, place)
    field = path.removeprefix(".")
    return InvalidRequest(detail, field=field) if field else InvalidRequest(detail)


def _detail(what: str, place: inspect.Type) -> str:
    if what.startswith("Object contains unknown field"):
        return f"There is an unknown field. Those known here: {', '.join(_names(place))}."
    if isinstance(place, inspect.EnumType):
        return f"The value is one of: {', '.join(place.cls)}."
    if what == "Invalid RFC3339 encoded date":
        return "Expected a day, such as 2026-01-31."
    if "RFC3339" in what or "timezone" in what:
        return "Expected a time with its zone, such as 2026-01-31T12:00:00Z (RFC 3339)."
    if "base64" in what:
        return "Expected bytes in base64 (RFC 4648, 4)."
    if "matching regex" in what:
        return "Expected a text that is not blank."
    if expected := _EXPECTED.fullmatch(what):
        return f"Expected {expected[1].replace('str', 'string')}{expected[2] or ''}."
    return "The value does not fit."


def _place(shape: inspect.Type, path: str) -> inspect.Type | None:
    """What our own shape has at a path; None if nothing: then the path is not ours to repeat."""
    for step in re.findall(r"\.[a-z_]+|\[\d+\]", path):
        if step.startswith("["):
            found = getattr(shape, "item_type", None)
        else:
            found = next((f.type for f in _fields(shape) if f.encode_name == step[1:]), None)
        if found is None:
            return None
        shape = _bare(found)
    return shape


def _bare(shape: inspect.Type) -> inspect.Type:
    """A type without its null, and without what is said of it for the description."""
    if isinstance(shape, inspect.UnionType):
        return _bare(next(t for t in shape.types if not isinstance(t, inspect.NoneType)))
    return _bare(shape.type) if isinstance(shape, inspect.Metadata) else shape


def _fields(shape: inspect.Type) -> tuple[inspect.Field, ...]:
    return shape.fields if isinstance(shape, inspect.StructType) else ()


def _names(shape: inspect.Type) -> list[str]:
    return [field.encode_name for field in _fields(shape)]
