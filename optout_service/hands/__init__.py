"""A second process that takes half of the hashing of a long list off a worker.

Hashing its addresses is most of a scrub, and a Python process does it on one core. A hand has the
pepper, and neither database nor network. Whatever becomes of it, the worker does its blocks itself:
a hand can be missed, and nothing is answered differently without one.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from optout_service.core.digesting import Digested, Digester
from optout_service.core.keyring import KeyRing
from optout_service.core.rows import Block
from optout_service.hands.hand import Gone, Hand

_LONG: Final = 4
"""Blocks (of half a MiB) after which a list is worth starting a process for."""
_AHEAD: Final = 8
"""Blocks that may be done before one that the hand still has."""

_log = logging.getLogger(__name__)


class Hands:
    """The one hand of this process. It helps with one list at a time."""

    def __init__(self, keys: KeyRing, *, wanted: bool = True) -> None:
        """``wanted``: whether there may be one; on a single core there is none."""
        self._keys = keys
        self._wanted = wanted and (os.cpu_count() or 1) > 1
        self._taken = threading.Lock()
        self._hand: Hand | None = None

    def all(self, digester: Digester, blocks: Iterable[Block]) -> Iterator[Digested]:
        """As ``Digester.all``, in the same order; where the list is long, with the hand's help."""
        blocks = iter(blocks)
        yield from digester.all(islice(blocks, _LONG))
        first = next(blocks, None)
        if first is None:
            return
        yield digester.of(first)
        if not (self._wanted and self._taken.acquire(blocking=False)):
            yield from digester.all(blocks)
            return
        try:
            yield from _Shared(digester, self._present()).all(blocks)
        finally:
            self._taken.release()

    def close(self) -> None:
        """Send the hand home."""
        if self._hand is not None:
            self._hand.dismiss()
            self._hand = None

    def _present(self) -> Hand | None:
        if self._hand is not None and not self._hand.there:
            self.close()
        if self._hand is None:
            try:
                self._hand = Hand.start(self._keys)
            except Gone as fault:
                _log.warning("no hand for a long list", exc_info=fault)
        return self._hand


@dataclass(slots=True)
class _Part:
    """A block in the order of the list, and what was made of it, once that is known."""

    block: Block
    digested: Digested | None = None


class _Shared:
    """One list, block by block to whoever is free."""

    def __init__(self, digester: Digester, hand: Hand | None) -> None:
        self._digester, self._hand = digester, hand
        self._lent: _Part | None = None

    def all(self, blocks: Iterable[Block]) -> Iterator[Digested]:
        """As ``Hands.all``."""
        parts: deque[_Part] = deque()
        try:
            for block in blocks:
                parts.append(_Part(block))
                self._give(parts[-1])
                while parts and (parts[0].digested is not None or len(parts) > _AHEAD):
                    yield self._made(parts.popleft())
            while parts:
                yield self._made(parts.popleft())
        finally:
            # Whoever stopped reading left a block with the hand: the next list must not get it.
            if self._lent is not None:
                self._lose()

    def _give(self, part: _Part) -> None:
        """To the hand if it is free, else to ourselves."""
        if self._lent is not None and self._hand is not None and self._hand.finished:
            self._collect()
        if self._hand is not None and self._lent is None:
            try:
                self._hand.give(self._digester, part.block)
            except Gone as fault:
                self._lose(fault)
            else:
                self._lent = part
                return
        part.digested = self._digester.of(part.block)

    def _made(self, part: _Part) -> Digested:
        if part is self._lent:
            self._collect()
        return part.digested or self._digester.of(part.block)

    def _collect(self) -> None:
        assert self._hand is not None
        assert self._lent is not None
        part, self._lent = self._lent, None
        try:
            part.digested = self._hand.take(self._digester, part.block)
        except Gone as fault:
            self._lose(fault)

    def _lose(self, fault: Gone | None = None) -> None:
        if fault is not None:
            _log.warning("a hand was lost; its work is done here", exc_info=fault)
        assert self._hand is not None
        self._hand.dismiss()
        self._hand = self._lent = None
