"""Bodies as providers send them: recorded, or as the provider's own page prints them."""

from pathlib import Path

FOLDER = Path(__file__).parent


def load(name: str) -> bytes:
    """One body, such as ``twilio/stop_long_code`` or ``telnyx/stop.json``."""
    path = FOLDER / name
    return (path if path.suffix else path.with_suffix(".txt")).read_bytes()
