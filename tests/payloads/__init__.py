"""Bodies as providers sent them, byte for byte."""

from pathlib import Path

FOLDER = Path(__file__).parent


def load(name: str) -> bytes:
    """One recorded body, such as ``twilio/stop``."""
    return (FOLDER / f"{name}.txt").read_bytes()
