"""Small pictures, as image programs write them: all are 24 pixels wide and 12 high, and red."""

import struct
import zlib
from base64 import b64decode

JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////"
    "////////////////////////////2wBDAVVaWnhpeOuCguv//////////////////////////////////////////////"
    "///////////////////////////wAARCAAMABgDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAUEAEAAA"
    "AAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAED/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACE"
    "QMRAD8AiAjYAB//2Q=="
)
WEBP = b64decode(
    "UklGRjoAAABXRUJQVlA4IC4AAADQAgCdASoYAAwAP3Ggxli0q6ejsAgCkC4JQBdgBaSAAP7j/+NH9SsIdv+pSAAA"
)
WEBP_LOSSLESS = b64decode("UklGRh4AAABXRUJQVlA4TBEAAAAvF8ACAAdQjI5Wpf+BiOh/AAA=")
WEBP_WITH_ALPHA = b64decode(
    "UklGRqwAAABXRUJQVlA4WAoAAAAQAAAAFwAACwAAQUxQSBQAAAABDzD/ERFCSED4v9YD3YKI/gc2AFZQOCByAAAAkAMA"
    "nQEqGAAMAD7RVKNLqCSjIbAIAQAaCWoAdgBDKvV/gjVDAAD+8I3//jiDj1OxNbKvEv/8vWSarqPzEOhH8dq+VacsMGO8"
    "SIDRcOgjOwtF+L+d3/f96//H9kAXy31oaOtG/nQ665beIn2uC2MsAAAA"
)


def png(width: int = 24, height: int = 12, *further: bytes) -> bytes:
    """A PNG of one colour; ``further``: chunks before its pixels."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
    pixels = zlib.compress(b"\0" * (width + 1) * height, 9)
    parts = [header, _chunk(b"PLTE", b"\xa3\x18\x2a"), *further, _chunk(b"IDAT", pixels)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + _chunk(b"IEND", b"")


def moving_png() -> bytes:
    """One that says it has frames (PNG, third edition, 11.3.4.1)."""
    return png(24, 12, _chunk(b"acTL", struct.pack(">II", 2, 0)))


def padded_png(size: int) -> bytes:
    """One of exactly so many bytes, most of them a comment."""
    empty = len(png(24, 12, _chunk(b"tEXt", b"")))
    return png(24, 12, _chunk(b"tEXt", b"x" * (size - empty)))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
