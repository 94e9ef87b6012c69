"""Programs that somebody else wrote to leave mailing lists with, before the running service."""
