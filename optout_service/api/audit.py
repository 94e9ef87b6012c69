"""Who changed how a tenant is set up: a line in the log for each act, once it is on the disk."""

import logging

from optout_service.api.auth import Caller

_log = logging.getLogger("optout.audit")


def note(caller: Caller, act: str, **what: object) -> None:
    """One act. ``what``: ids and slugs that tell which thing it was done to, never a secret."""
    _log.info(act, extra={"by": caller.actor, "tenant": caller.slug, **what})
