"""The plain check: JSON, by a key that was seen before and names no other tenant."""

from typing import Final

import msgspec

from optout_service.api import answers, auth, checks
from optout_service.api.auth import Caller, Permission, Remembered
from optout_service.api.bodies.checks import CHECK
from optout_service.api.limits import Limits
from optout_service.api.use import KeyUse
from optout_service.express import Answer, Environ
from optout_service.runtime import Runtime


class PlainCheck:
    """The lane of ``POST /v1/check``."""

    route: Final = "/v1/check"

    def __init__(
        self, runtime: Runtime, remembered: Remembered, limits: Limits, use: KeyUse
    ) -> None:
        """``remembered``: the callers that the Flask way has proven; it alone puts any in."""
        self._runtime = runtime
        self._remembered = remembered
        self._limits = limits
        self._use = use

    def takes(self, environ: Environ, length: int) -> bool:
        """As ``express.Lane``."""
        return (
            environ["PATH_INFO"] == self.route
            and environ.get("CONTENT_TYPE") == answers.JSON
            and "HTTP_OPTOUT_TENANT" not in environ
            and length <= self._runtime.settings.max_body_bytes
        )

    def answer(self, environ: Environ, body: bytes) -> Answer | None:
        """As ``express.Lane``. Raises TooMany, and what ``checks.verdict`` raises."""
        caller = self._caller(environ)
        if caller is None or not caller.may(Permission.CHECK):
            return None
        try:
            asked = CHECK.decode(body)
        except (msgspec.MsgspecError, UnicodeError):
            return None
        self._limits.take(caller.api_key, environ)
        verdict = checks.verdict(self._runtime, caller, asked)
        self._use.note(caller.api_key)
        return Answer(answers.JSON, answers.encoded(verdict))

    def _caller(self, environ: Environ) -> Caller | None:
        secret = auth.bearer(environ.get("HTTP_AUTHORIZATION", ""))
        if secret is None:
            return None
        return self._remembered.find(self._runtime.keys.api_key_digest(secret), None)
