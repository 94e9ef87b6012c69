"""``optout``: run the service, set it up, ask it. Exit status: 0 done, 1 refused, 2 usage."""

from optout_service.cli.main import main

__all__ = ["main"]
