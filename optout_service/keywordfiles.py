"""A tenant's own words: files on top of the rules that come with the code.

In the directory of ``OPTOUT_KEYWORDS_DIR``, ``all.toml`` is for every tenant and
``<slug>.toml`` for one. Their form is that of ``core/keyword/rules``; docs/text.md describes it.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from optout_service.core import keyword
from optout_service.core.errors import Misconfigured
from optout_service.core.keyword import Language, Reader, Reading

_EVERYBODY: Final = "all"


def read(path: Path) -> list[Language]:
    """The languages of one file. Raises Misconfigured with all its faults, each with its place."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise Misconfigured(f"{path}: {fault.strerror}; give a file that we may read.") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{path}: it is not in UTF-8; save it so.") from None
    return keyword.parse(text, str(path))


class Readers:
    """A reader for each tenant: the files are read at once, a reader is made when it is needed."""

    def __init__(self, files: Mapping[str, list[Language]]) -> None:
        self._files = files
        self._reader = lru_cache(maxsize=None)(self._made)

    @classmethod
    def load(cls, directory: str) -> Self:
        """Read every file of a directory; "" is none.

        Raises Misconfigured with the faults of all files.
        """
        files: dict[str, list[Language]] = {}
        faults: list[str] = []
        if directory and not Path(directory).is_dir():
            raise Misconfigured(f"OPTOUT_KEYWORDS_DIR: {directory} is no directory; make it.")
        for path in sorted(Path(directory).glob("*.toml")) if directory else ():
            try:
                files[path.stem] = read(path)
            except Misconfigured as fault:
                faults.append(fault.detail)
        if faults:
            raise Misconfigured("\n".join(faults))
        return cls(files)

    def read(self, tenant: str, text: str, language: str | None = None) -> Reading:
        """What a message to a tenant, by its slug, says. Never raises."""
        # A slug without a file of its own shares the reader of all.
        own = tenant if tenant in self._files else _EVERYBODY
        return self._reader(own).read(text, language)

    def warm(self) -> None:
        """Make the reader of all now, so that the first message needn't wait for it."""
        self._reader(_EVERYBODY)

    def _made(self, own: str) -> Reader:
        if own != _EVERYBODY:
            return self._reader(_EVERYBODY).with_more(self._files[own])
        if _EVERYBODY in self._files:
            return keyword.own_reader().with_more(self._files[_EVERYBODY])
        return keyword.own_reader()
