"""Suppressions as they go out: a list of hashes, a table, or lines of JSON.

A list of hashes cannot be used as a mailing list, and still be compared with one. In CSV a cell
that a spreadsheet would compute has ``'`` before it; NDJSON is exact.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from optout_service.core import spreadsheet
from optout_service.core.address import Address
from optout_service.core.imports import AS_IF_SAFE, EXPORTED
from optout_service.core.policy import Suppression

_QUOTED: Final = (",", '"', "\r", "\n")


class Format(StrEnum):
    """What an export is made of."""

    SHA256 = "sha256"
    CSV = "csv"
    NDJSON = "ndjson"


MEDIA: Final = {
    Format.SHA256: "text/plain; charset=utf-8",
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.NDJSON: "application/x-ndjson",
}
"""The media type of each."""


def head(format_: Format) -> bytes:
    """What stands before the first row."""
    return _csv(EXPORTED) if format_ is Format.CSV else b""


def row(format_: Format, address: Address, shown: str, stands: Suppression) -> bytes:
    """One suppression, line end included; ``shown``: the address as the caller may see it."""
    if format_ is Format.SHA256:
        return b"sha256:%b\n" % address.sha256.hex().encode()
    since = stands.since.isoformat().replace("+00:00", "Z")
    scope = stands.scope
    values = (
        *(shown, scope.channel, scope.topic, scope.purpose),
        *(stands.reason, stands.source, since),
    )
    if format_ is Format.CSV:
        return _csv(values)
    named = dict(zip(EXPORTED, values, strict=True)) | {"event": stands.event}
    return msgspec.json.encode(named) + b"\n"


def _csv(cells: Sequence[str]) -> bytes:
    """A row of RFC 4180."""
    return b",".join(spreadsheet.safe_cell(_cell(cell)) for cell in cells) + b"\r\n"


def _cell(text: str) -> bytes:
    # A cell that begins as if it had been made safe is told apart from one that was.
    if AS_IF_SAFE.match(text):
        text = f"'{text}"
    if any(character in text for character in _QUOTED):
        text = '"{}"'.format(text.replace('"', '""'))
    return text.encode()
