"""Where a trial is held: a folder of its own, and as many databases and servers as it asks for."""

import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.proxy import Proxy
from tests.postgres import ExistingServer, PostgreSQL
from tests.server import Server, free_port


@dataclass
class Ground:
    """One trial's ground. What it made is taken down when ``close`` is called."""

    dialect: str
    folder: Path
    shared: Callable[[], PostgreSQL | ExistingServer]
    _made: ExitStack = field(default_factory=ExitStack)

    def database(self) -> str:
        """The URL of a fresh database without a schema."""
        name = f"t{uuid.uuid4().hex[:12]}"
        if self.dialect != "postgresql":
            return f"sqlite:///{self.folder / name}.db"
        server = self.shared()
        self._made.callback(server.drop_database, name)
        return server.create_database(name)

    def own_postgresql(self, *options: str) -> PostgreSQL:
        """A running PostgreSQL that the trial may stop and kill."""
        server = PostgreSQL(*options)
        self._made.callback(server.remove)
        server.start()
        return server

    def server(self, database: str = "", *, home: Path | None = None, **given: Any) -> Server:
        """The real service over a database, not started. Over SQLite ``database`` may be left out:
        then it is the data directory's own. ``home``: where several share one; ``given``: as
        ``Server``."""
        if home is None:
            home = self.folder / uuid.uuid4().hex[:12]
            home.mkdir(mode=0o700)
        server = Server(home, database, **given)
        self._made.callback(server.stop_if_running)
        return server

    def nginx(self, server: Server) -> Proxy:
        """nginx before the server, as we ship it; the other of the two it knows is not there."""
        return self._made.enter_context(Proxy(self.folder, (server.port, free_port())))

    @contextmanager
    def small_disk(self, megabytes: int) -> Iterator[Path | None]:
        """A disk of its own, in memory; None where this user may not mount one."""
        with tempfile.TemporaryDirectory(prefix="optout-disk-") as folder:
            # For the user that PostgreSQL runs under, too.
            Path(folder).chmod(0o755)
            mounted = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder],
                capture_output=True,
                check=False,
            )
            if mounted.returncode:
                yield None
                return
            try:
                yield Path(folder)
            finally:
                self.close()
                subprocess.run(["umount", folder], check=True)

    def close(self) -> None:
        """Take down all that was made, last first."""
        self._made.close()
