"""JSON as other systems export it: an array of records, or pages that hold one, one after another.

Read as it comes, so that a document of any length takes the same memory.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from optout_service.core.errors import Malformed, TooLarge
from optout_service.core.rows import MAX_ROW_BYTES

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\r\n\ufeff]*")
_BROKEN: Final = "The JSON is broken or ends early"


def records(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The records of a document: objects, or texts where a list is of bare addresses.

    An array is its elements; an object that holds an array of objects is a page, and is those;
    any other object is a record itself. Raises, while it is read, Malformed and TooLarge (a record
    over 64 KiB).
    """
    reader = _Reader(chunks)
    while reader.peek():
        yield from reader.document()


def may_be_page(members: dict[str, Any]) -> bool:
    """Whether an object may hold records, rather than be one."""
    return any(
        isinstance(value, list) and (not value or isinstance(value[0], dict))
        for value in members.values()
    )


class _Reader:
    """The text that has come and is not read yet, and how many records were."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text = ""
        self._at = 0
        self._ended = False
        self._given = 0

    def document(self) -> Iterator[Any]:
        """The records of the value that comes next."""
        match self.peek():
            case "[":
                yield from self._elements()
            case "{":
                yield from self._page()
            case _:
                raise self._broken()

    def peek(self) -> str:
        """The next character that is not white space, left where it is; empty at the end."""
        at = self._find()
        return self._text[at : at + 1]

    def _elements(self) -> Iterator[Any]:
        self._take("[")
        while self.peek() != "]":
            yield self._value()
            self._given += 1
            self._comma("]")
        self._take("]")

    def _page(self) -> Iterator[Any]:
        """An object's records, or the object itself if it holds none."""
        self._take("{")
        members: dict[str, Any] = {}
        is_page = False
        while self.peek() != "}":
            name = self._value()
            self._take(":")
            if self._holds_records():
                is_page = True
                yield from self.document()
            elif isinstance(name, str):
                members[name] = self._value()
            else:
                raise self._broken()
            self._comma("}")
        self._take("}")
        if not is_page and not _is_empty_page(members):
            yield members
            self._given += 1

    def _holds_records(self) -> bool:
        """Whether the value that comes is an array of objects."""
        self._at = self._find()
        if self.peek() != "[":
            return False
        second = self._find(1)
        return self._text[second : second + 1] == "{"

    def _value(self) -> Any:
        self._at = self._find()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError):
                pass  # no JSON as yet, too deep, or a number of thousands of digits
            else:
                # A number may go on in what is still to come.
                if end < len(self._text) or self._ended or isinstance(value, (str, dict, list)):
                    self._at = end
                    return value
            if len(self._text) - self._at > MAX_ROW_BYTES:
                raise TooLarge(
                    f"Record {self._given + 1} is broken, or over {MAX_ROW_BYTES} bytes.",
                    row=self._given + 1,
                    limit=MAX_ROW_BYTES,
                )
            if not self._more():
                raise self._broken()

    def _take(self, character: str) -> None:
        if self.peek() != character:
            raise self._broken()
        self._at = self._find() + 1

    def _comma(self, end: str) -> None:
        if self.peek() != end:
            self._take(",")
            if self.peek() == end:
                raise self._broken()

    def _find(self, skip: int = 0) -> int:
        """Where the next character that is not white space stands, ``skip`` characters on."""
        while True:
            found = _SPACE.match(self._text, self._at + skip)
            end = found.end() if found else len(self._text)
            if end < len(self._text) or not self._more():
                return end

    def _more(self) -> bool:
        if self._ended:
            return False
        chunk = next(self._chunks, None)
        self._ended = chunk is None
        try:
            text = self._decode(chunk or b"", self._ended)
        except UnicodeDecodeError:
            raise Malformed("JSON is UTF-8, and this is not.") from None
        self._text, self._at = self._text[self._at :] + text, 0
        return True

    def _broken(self) -> Malformed:
        return Malformed(f"{_BROKEN}, after {self._given} records.", row=self._given + 1)


def _is_empty_page(members: dict[str, Any]) -> bool:
    """Whether an object is a page of none: an empty array, and nothing with an @ or a number."""
    return [] in members.values() and not any(
        isinstance(value, str) and ("@" in value or value.startswith("+"))
        for value in members.values()
    )
