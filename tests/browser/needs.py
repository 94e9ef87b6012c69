"""What the tests in a browser need: the extra ``browser``, and the system's Chromium."""

import shutil
from importlib.util import find_spec

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str | None:
    """Where the browser is, if there is one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def missing() -> str:
    """What is not here, or nothing."""
    if not all(map(find_spec, ("axe_playwright_python", "playwright"))):
        return "the extra `browser` is not installed"
    return "" if chromium_path() else "there is no Chromium"
