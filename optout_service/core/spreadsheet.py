"""Cells that a spreadsheet would take for a formula, made harmless (OWASP, CSV Injection)."""

import re
from typing import Final

from optout_service.core import rows

_DANGEROUS: Final = re.compile(rb"[=+\-@\t\r\n]")
# A number with its sign computes nothing, and a phone is one.
_NUMBER: Final = re.compile(rb"[+-][0-9][0-9.,]*")


def safe_cell(cell: bytes) -> bytes:
    """A cell, in its quotes or not, with ``'`` before what would be a formula."""
    quote = b'"' if cell.startswith(b'"') else b""
    inner = cell[len(quote) :]
    if not _DANGEROUS.match(inner) or _NUMBER.fullmatch(inner.removesuffix(quote)):
        return cell
    return b"%b'%b" % (quote, inner)


def safe_row(raw: bytes, delimiter: bytes) -> bytes:
    """A row of CSV, line end included, with each of its cells safe."""
    content = rows.content(raw)
    cells = map(safe_cell, rows.cells(content, delimiter))
    return delimiter.join(cells) + raw[len(content) :]
