"""The charsets of lists. Within, a list is UTF-8; it goes back in the charset in which it came."""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from optout_service.core.errors import Malformed, UnsupportedMediaType

_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_AS_IT_IS: Final = frozenset(codecs.lookup(name).name for name in ("utf-8", "utf-8-sig", "ascii"))
# Those in which every row goes there and back to the same bytes.
_RECODED: Final = frozenset(
    codecs.lookup(name).name
    for name in (
        *(f"iso8859-{part}" for part in range(1, 17) if part != 12),
        *(f"cp{page}" for page in range(1250, 1259)),
        *("cp437", "cp850", "cp852", "cp866", "koi8-r", "koi8-u", "mac-roman"),
        *("utf-16-le", "utf-16-be"),
    )
)


def codec_of(charset: str | None, start: bytes) -> str | None:
    """The codec of a charset, or, if none is named, of the two bytes a list starts with.

    None: the list is read as it is, as UTF-8 where it matters. Raises UnsupportedMediaType.
    """
    sniffed = _UTF16.get(start[:2])
    if charset is None:
        return sniffed
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):
        name = ""
    if name == "utf-16":
        return sniffed or "utf-16-be"  # RFC 2781, 4.3
    if name in _AS_IT_IS:
        return None
    if name not in _RECODED:
        raise UnsupportedMediaType(
            "Lists are read in UTF-8, UTF-16, ISO 8859, Windows 1250 to 1258 and a few more. "
            "Recode yours to UTF-8."
        )
    return name


def recoded(chunks: Iterable[bytes], codec: str) -> Iterator[bytes]:
    """What comes in this codec, as UTF-8. Raises Malformed while it is read."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError:
        raise Malformed("The list is not in the charset that was named.") from None
