"""What the tests beyond one machine need: the pooler's own program."""

import os
import shutil
from typing import Final

import pytest

_PATH: Final = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"


def pgbouncer() -> str | None:
    """Where PgBouncer is, if it is here. It lies where only root looks."""
    return shutil.which("pgbouncer", path=_PATH)


WITH_PGBOUNCER: Final = pytest.mark.skipif(pgbouncer() is None, reason="there is no pgbouncer")


def missing() -> str:
    """What is not here, or nothing."""
    return "" if pgbouncer() else "there is no pgbouncer"
