"""A brand's logo: a small picture, looked at by its own bytes and not by what it is called.

PNG (W3C, third edition, 5 and 11.2.2), JPEG (ITU-T T.81, annex B), WebP (RFC 9649). SVG is refused:
it is a document that can hold scripts and links. So is what moves: nobody could stop it
(WCAG 2.2, 2.2.2).
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from optout_service.core.errors import InvalidRequest

MAX_BYTES: Final = 6 * 1024
"""In the page four bytes stand for three of it, and the whole page weighs under 20 KB."""

MAX_PIXELS: Final = 1024
"""Along each side. A picture of few bytes can unfold to more than a phone can hold."""

_Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that a page may hold: its media type, its size in pixels, its bytes."""

    media: str
    width: int
    height: int
    data: bytes


def parse(data: bytes) -> Logo:
    """A logo from the bytes of a file. Raises InvalidRequest, which says what to do instead."""
    if not 0 < len(data) <= MAX_BYTES:
        raise _refused(f"A logo has 1 to {MAX_BYTES} bytes: save it smaller, or with fewer colours")
    found = next((kind for kind in _KINDS if data.startswith(kind.magic)), None)
    if found is None:
        raise _refused("A logo is a PNG, JPEG or WebP picture. Save an SVG as one of these")
    try:
        width, height = found.size_of(data)
    except (struct.error, IndexError):
        width = height = 0
    if not (width and height):
        raise _refused("The logo is not whole, or is no still picture. Save it anew and send it")
    if max(width, height) > MAX_PIXELS:
        raise _refused(f"A logo has at most {MAX_PIXELS} pixels along each side")
    return Logo(found.media, width, height, data)


def _refused(text: str) -> InvalidRequest:
    return InvalidRequest(f"{text}.", field="logo")


_NONE: Final[_Size] = (0, 0)


def _png(data: bytes) -> _Size:
    """Of a PNG that ends where it says, and does not move (no acTL)."""
    at, names, size = 8, [], _NONE
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IHDR":
            size = struct.unpack_from(">II", data, at + 8)
        names.append(name)
        at += 12 + length
    whole = names[:1] == [b"IHDR"] and names[-1] == b"IEND" and at == len(data)
    return size if whole and b"IDAT" in names and b"acTL" not in names else _NONE


def _jpeg(data: bytes) -> _Size:
    """Of a JPEG that ends with its own marker: what its first frame says."""
    if not data.endswith(b"\xff\xd9"):
        return _NONE
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return _NONE


_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers that begin a frame: SOF0 to SOF15 without DHT, JPG and DAC."""


def _webp(data: bytes) -> _Size:
    """Of a WebP that ends where it says, and does not move."""
    _, length, form, chunk = struct.unpack_from("<4sI4s4s", data)
    if form != b"WEBP" or length + 8 != len(data) or len(data) < 30:
        return _NONE
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8X" and not data[20] & 0x02:
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return _NONE


@dataclass(frozen=True, slots=True)
class _Kind:
    """How such a file begins, and its width and height, which are 0 where something is amiss."""

    media: str
    magic: bytes
    size_of: Callable[[bytes], _Size]


_KINDS: Final = (
    _Kind("image/png", b"\x89PNG\r\n\x1a\n", _png),
    _Kind("image/jpeg", b"\xff\xd8\xff", _jpeg),
    _Kind("image/webp", b"RIFF", _webp),
)
