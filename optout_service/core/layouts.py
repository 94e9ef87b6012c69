"""How other systems write their lists, as ``layouts.toml`` has it; and which of them a list is."""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from optout_service.core import keyword
from optout_service.core.errors import InvalidRequest
from optout_service.core.evidence import Reason
from optout_service.core.keyword import Intent
from optout_service.core.scope import Channel

Values = Mapping[str, str]
"""A row: the simple names of its columns or fields, and what stands in them."""

AUTO: Final = "auto"
PLAIN: Final = "plain"
SHA256: Final = "sha256"

_BESIDES: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Skip:
    """What a row means that suppresses nobody."""

    why: str


@dataclass(frozen=True, slots=True)
class Case:
    """What some rows mean; ``address``: the column of their address, if it is another one."""

    when: Mapping[str, tuple[str, ...]]
    says_stop: str
    means: Reason | Skip
    address: str

    def holds(self, values: Values) -> bool:
        """Whether a row is one of them."""
        begins = all(
            values.get(column, "").strip().casefold().startswith(beginnings)
            for column, beginnings in self.when.items()
        )
        if not begins or not self.says_stop:
            return begins
        return keyword.read(values.get(self.says_stop, "")).intent is Intent.OPT_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One list of one system; ``layouts.toml`` says what each field is.

    ``channel``: empty where the address must show it.
    """

    name: str
    needs: frozenset[str]
    address: str
    means: Reason | None
    cases: tuple[Case, ...]
    time: str = ""
    note: str = ""
    part: str = ""
    channel: str = Channel.EMAIL
    refusal: str = ""
    by_name: bool = False

    @property
    def system(self) -> str:
        """Whose list it is."""
        return self.name.partition("-")[0]

    def case(self, values: Values) -> Case | None:
        """The first case that holds of a row, if any does."""
        return next((case for case in self.cases if case.holds(values)), None)


ADDRESS: Final = "address"
"""Where the address of a row of one's own list stands, whatever its column is called."""

OWN: Final = Layout(
    name=PLAIN, needs=frozenset(), address=ADDRESS, means=Reason.OPTED_OUT, cases=(), channel=""
)
"""A list of one's own: its rows say all by our words."""


def simple(name: str) -> str:
    """A column's name as it is compared."""
    return _BESIDES.sub("", name.casefold())


def recognise(names: Collection[str], asked: str = AUTO) -> Layout:
    """The layout of a list with columns of these simple names.

    ``asked``: one of ``formats``. Raises InvalidRequest: there is no such format, the list is not
    what was asked for, or is of people who did not leave.
    """
    if asked not in formats():
        raise InvalidRequest(f"The format is one of: {', '.join(formats())}.", field="format")
    if asked in (PLAIN, SHA256):
        return OWN
    among = [
        layout
        for layout in layouts()
        if asked == layout.name or (asked in (AUTO, layout.system) and not layout.by_name)
    ]
    fitting = [layout for layout in among if layout.needs <= set(names)]
    if not fitting and asked != AUTO:
        wanted = "; ".join(f"{layout.name}: {', '.join(sorted(layout.needs))}" for layout in among)
        raise InvalidRequest(
            f"The list has not the columns of {asked} ({wanted}). If it is a list of your own, ask "
            "for plain.",
            field="format",
        )
    found = max(fitting, key=lambda layout: len(layout.needs), default=OWN)
    if found.refusal:
        raise InvalidRequest(f"This looks like {found.name}. {found.refusal}", field="format")
    return found


@cache
def layouts() -> tuple[Layout, ...]:
    """Every list that is recognised."""
    text = files("optout_service.core").joinpath("layouts.toml").read_text(encoding="utf-8")
    return tuple(_layout(entry) for entry in tomllib.loads(text)["layout"])


@cache
def formats() -> tuple[str, ...]:
    """What may be asked for: any, a list of one's own, hashes alone, a system, one list of it."""
    systems = dict.fromkeys(layout.system for layout in layouts())
    return (AUTO, PLAIN, SHA256, *systems, *dict.fromkeys(layout.name for layout in layouts()))


def _layout(entry: dict[str, Any]) -> Layout:
    means = entry.get("means")
    made = {
        "needs": frozenset(entry["needs"]),
        "means": means and Reason(means),
        "cases": tuple(_case(case) for case in entry.get("cases", ())),
    }
    return Layout(**(entry | made))


def _case(entry: dict[str, Any]) -> Case:
    when = {column: tuple(beginnings) for column, beginnings in entry["when"].items()}
    means = Skip(entry["skip"]) if "skip" in entry else Reason(entry["means"])
    return Case(when, entry.get("says_stop", ""), means, entry.get("address", ""))
