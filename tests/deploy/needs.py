"""What the tests of ``deploy/`` need: the programs and packages that read its files."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

_PROGRAMS: Final = ("hadolint", "nginx", "systemd-analyze", "promtool")
_PACKAGES: Final = ("compose_spec", "cyclonedx", "kubernetes_validate")
_PATH: Final = os.pathsep.join((os.environ["PATH"], "/usr/sbin", str(Path(sys.executable).parent)))


def program(name: str) -> str | None:
    """Where a program is, if it is here. nginx lies where root looks, hadolint beside Python."""
    return shutil.which(name, path=_PATH)


def _is_here(name: str) -> bool:
    return find_spec(name) is not None if name in _PACKAGES else program(name) is not None


def without(name: str) -> pytest.MarkDecorator:
    """Skips a test where a program or package is not here."""
    return pytest.mark.skipif(not _is_here(name), reason=f"there is no {name}")


def missing() -> str:
    """What is not here, or nothing."""
    lacking = [name for name in (*_PROGRAMS, *_PACKAGES) if not _is_here(name)]
    return f"there is no {', '.join(lacking)}" if lacking else ""
