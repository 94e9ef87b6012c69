"""When the last backup was made from here: noted beside the checkpoints, for the doctor to read."""

import logging
from datetime import UTC, datetime
from typing import Final

from optout_service.settings import Settings

_NAME: Final = "backed-up"
_log = logging.getLogger(__name__)


def note(settings: Settings, at: datetime) -> None:
    """Write it down. A backup is none the worse for it where that fails."""
    try:
        settings.effective_checkpoint_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        (settings.effective_checkpoint_dir / _NAME).write_text(at.isoformat())
    except OSError as fault:
        _log.warning("the backup was made, and not noted", extra={"why": fault.strerror})


def last(settings: Settings) -> datetime | None:
    """When, or None where nobody knows."""
    try:
        found = datetime.fromisoformat((settings.effective_checkpoint_dir / _NAME).read_text())
    except (OSError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
