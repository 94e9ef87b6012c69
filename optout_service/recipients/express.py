"""The plain one-click: the form of RFC 8058, 3.1, urlencoded, to a link as it was minted."""

from typing import Final

from optout_service.core.evidence import Source
from optout_service.express import Answer, Environ
from optout_service.recipients import acts, link, one_click, pages
from optout_service.runtime import Runtime

_PREFIX: Final = "/u/"
_FORM: Final = b"List-Unsubscribe=One-Click"


class OneClick:
    """The lane of a POST to a link."""

    route: Final = link.RULE

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def takes(self, environ: Environ, length: int) -> bool:
        """As ``express.Lane``."""
        path: str = environ["PATH_INFO"]
        return (
            length == len(_FORM)
            and path.startswith(_PREFIX)
            and "/" not in path[len(_PREFIX) :]
            and environ.get("CONTENT_TYPE") == "application/x-www-form-urlencoded"
            and not environ.get("QUERY_STRING")
        )

    def answer(self, environ: Environ, body: bytes) -> Answer | None:
        """As ``express.Lane``. Raises what ``link.read`` and ``acts.record`` raise."""
        if body != _FORM:
            return None
        visit = link.read(self._runtime.links, environ["PATH_INFO"][len(_PREFIX) :])
        act = acts.Act(visit.narrow, Source.ONE_CLICK, "form")
        acts.record(self._runtime, visit, act, environ)
        return Answer(pages.PLAIN, one_click.DONE.encode())
