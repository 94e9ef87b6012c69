"""Databases made once and copied for each test: a set-up for each costs more than most tests do."""

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from optout_service.runtime import Runtime
from optout_service.store import migrating
from tests import stage
from tests.postgres import ExistingServer, PostgreSQL
from tests.stage import Cast


class State(Enum):
    """How much is there already."""

    MIGRATED = "the schema"
    SEALED = "and the seal of the tests' keys, and the platform"
    STAGED = "and the cast"


@dataclass(frozen=True, slots=True)
class Template:
    """A database to be copied. ``name``: a path, or a database of the server."""

    name: str
    cast: Cast | None = None


@dataclass
class Templates:
    """One for each dialect and state, made when it is first asked for."""

    folder: Path
    server: Callable[[], PostgreSQL | ExistingServer]
    _made: dict[tuple[str, State], Template] = field(default_factory=dict)

    def get(self, dialect: str, state: State) -> Template:
        """The template of one state; whoever asks copies it, and changes nothing in it."""
        found = self._made.get((dialect, state))
        if found is None:
            found = self._made[dialect, state] = self._make(dialect, state)
        return found

    def _make(self, dialect: str, state: State) -> Template:
        below = None if state is State.MIGRATED else self.get(dialect, State.MIGRATED).name
        name, url = self._copy(dialect, below)
        if below is None:
            migrating.upgrade(url)
            return Template(name)
        rt = Runtime.set_up(stage.settings_for(url), stage.KEYS)
        try:
            return Template(name, stage.set_up(rt) if state is State.STAGED else None)
        finally:
            rt.close()

    def _copy(self, dialect: str, below: str | None) -> tuple[str, str]:
        unique = f"optout_template_{uuid.uuid4().hex[:12]}"
        if dialect == "postgresql":
            return unique, self.server().create_database(unique, below or "template1")
        path = self.folder / f"{unique}.db"
        if below is not None:
            shutil.copy(below, path)
        return str(path), f"sqlite:///{path}"
