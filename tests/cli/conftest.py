"""A command line on a database of its own."""

from tests.cli.test_commands import acme, data, run

__all__ = ["acme", "data", "run"]
