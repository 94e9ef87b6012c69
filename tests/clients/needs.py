"""What the tests with others' clients need: the packages of requirements.txt beside this file."""

from importlib.util import find_spec

_MODULES = ("sweeper", "gmail_mgr", "unsubmail", "bs4")


def missing() -> str:
    """What is not here, or nothing."""
    return (
        "" if all(map(find_spec, _MODULES)) else "tests/clients/requirements.txt is not installed"
    )
