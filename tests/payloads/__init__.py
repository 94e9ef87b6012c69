"""Bodies as providers sent them, byte for byte."""

from pathlib import Path


def load(name: str) -> bytes:
    """One recorded body, such as ``twilio/stop``."""
    return (Path(__file__).parent / f"{name}.txt").read_bytes()
