"""Asking before a send: one address, many, or a list of any length."""

import os
import secrets
import ssl
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, Self

from optout_service.client import shapes
from optout_service.client.line import Line
from optout_service.client.scrubbing import Scrubbed, in_lines, lines_of
from optout_service.client.shapes import Cleared, Match, Verdict, read

BATCH: Final = 10_000
"""The most that one batch takes."""

_MEDIA: Final = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
}
Keep = Literal["allowed", "suppressed", "all"]


class Asking:
    """What a sender's key may ask."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        tenant: str | None = None,
        *,
        timeout: float = 10,
        retries: int = 3,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """``tenant``: the slug, for a platform key. ``timeout``: seconds without a byte.

        ``context``: for a certificate that the system does not trust. Raises ValueError.
        """
        self._line = Line(base_url, api_key, tenant, timeout, retries, context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return "Client(***)"

    def close(self) -> None:
        """Close the connections that are kept."""
        self._line.close()

    def check(
        self,
        address: str,
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
        *,
        clearance: bool = False,
    ) -> Verdict:
        """May this message be sent?

        >>> verdict = client.check("jo@example.com", topic="newsletter", clearance=True)
        >>> verdict.suppressed, len(verdict.clearance) > 100
        (False, True)

        Raises Refused with the kind ``invalid-address``, ``unknown-topic`` or ``unknown-channel``.
        """
        asked = given(address=address, channel=channel, topic=topic, purpose=purpose)
        if clearance:
            asked["clearance"] = True
        verdict = read(shapes.VERDICT, self._line.ask("POST", "/v1/check", body=asked))
        if verdict.suppressed is not bool(verdict.matches):
            raise shapes.unlike_ours()
        return verdict

    def check_many(
        self,
        addresses: Iterable[str],
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
        *,
        batch: int = BATCH,
    ) -> Iterator[tuple[str, Verdict]]:
        """A verdict for each address, in order; ``batch`` of them at a time, read as they come.

        >>> for address, verdict in client.check_many(["jo@example.com", "nobody"]):
        ...     print(address, verdict.allowed, verdict.invalid is None)
        jo@example.com True True
        nobody False False

        What is no address is neither suppressed nor allowed. If it raises in the middle, the
        verdicts given until then hold, and there are no others.
        """
        source = iter(addresses)
        while part := list(islice(source, batch)):
            asked = given(addresses=part, channel=channel, topic=topic, purpose=purpose)
            yield from zip(part, self._verdicts(asked, len(part)), strict=True)

    def scrub(
        self,
        addresses: Iterable[str],
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
    ) -> Iterator[str]:
        """Those that may be sent to, in order, all of it true for one position of the ledger.

        >>> list(client.scrub(["jo@example.com", "nobody", "mo@example.com"]))
        ['jo@example.com', 'mo@example.com']

        Any number of them: they go out while the answer comes in. Unavailable in the middle means
        that the rest is not known. It is not asked again by itself; call it again with the list.
        """
        query = {"channel": channel, "topic": topic, "purpose": purpose, "keep": "allowed"}
        media_type = "text/plain; charset=utf-8"
        return in_lines(Scrubbed(self._line, lines_of(addresses), media_type, query))

    def scrub_file(
        self,
        source: str | os.PathLike[str],
        target: str | os.PathLike[str],
        channel: str = "email",
        topic: str | None = None,
        purpose: str | None = None,
        *,
        keep: Keep = "allowed",
        column: str | None = None,
        media_type: str | None = None,
    ) -> int:
        """From file to file, rows untouched; gives the position of the ledger for which it is true.

        >>> _ = Path("campaign.csv").write_text("name,email\\nJo,jo@example.com\\n")
        >>> as_of = client.scrub_file("campaign.csv", "allowed.csv", topic="newsletter")
        >>> Path("allowed.csv").read_text()
        'name,email\\nJo,jo@example.com\\n'

        ``target`` is there whole, or as it was before. ``media_type`` is told by the name of
        ``source`` unless given; ``column``: see docs/lists.md. Raises ValueError, OSError.
        """
        media = media_type or _MEDIA.get(Path(source).suffix.lower())
        if media is None:
            raise ValueError(f"Say what the list is, in media_type: {', '.join(_MEDIA.values())}.")
        query = {"channel": channel, "topic": topic, "purpose": purpose}
        query |= {"keep": keep, "column": column}
        aside = Path(f"{os.fspath(target)}.{secrets.token_hex(8)}.part")
        try:
            with open(source, "rb") as rows, open(aside, "xb") as out:
                pieces = iter(lambda: rows.read(1 << 16), b"")
                scrubbed = Scrubbed(self._line, pieces, media, query)
                out.writelines(scrubbed)
            os.replace(aside, target)
        finally:
            aside.unlink(missing_ok=True)
        return scrubbed.as_of

    def verify_clearance(
        self,
        clearance: str,
        *,
        address: str | None = None,
        channel: str | None = None,
        topic: str | None = None,
        purpose: str | None = None,
    ) -> Cleared:
        """What a clearance of this tenant says, held against a message as far as that is given.

        >>> shown = client.check("jo@example.com", clearance=True).clearance
        >>> client.verify_clearance(shown, address="jo@example.com").valid
        True

        Raises Refused with the kind ``bad-clearance``.
        """
        asked = given(clearance=clearance, address=address, channel=channel)
        asked |= given(topic=topic, purpose=purpose)
        return read(shapes.CLEARED, self._line.ask("POST", "/v1/clearances/verify", body=asked))

    def _verdicts(self, asked: dict[str, Any], count: int) -> Iterator[Verdict]:
        found = read(shapes.BATCH, self._line.ask("POST", "/v1/check/batch", body=asked))
        verdicts = [Verdict(False, (), found.as_of)] * count
        try:
            for one in found.suppressed:
                match = Match(one.reason, one.scope)
                verdicts[one.index] = Verdict(True, (match,), found.as_of)
            for odd in found.invalid:
                verdicts[odd.index] = Verdict(False, (), found.as_of, odd.detail)
        except IndexError:
            raise shapes.unlike_ours() from None
        if found.checked != count:
            raise shapes.unlike_ours()
        return iter(verdicts)


def given(**values: Any) -> dict[str, Any]:
    """What was given, by name."""
    return {name: value for name, value in values.items() if value is not None}
