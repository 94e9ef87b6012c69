"""The release before this one: its own code, unpacked from its wheel."""

from pathlib import Path
from typing import Final
from zipfile import ZipFile

_FOLDER: Final = Path(__file__).parent


def unpack(folder: Path) -> Path:
    """Lay its code into ``folder``, and give the directory to import it from."""
    (wheel,) = _FOLDER.glob("optout_service-*.whl")
    code = folder / "former"
    with ZipFile(wheel) as packed:
        packed.extractall(code)
    return code
