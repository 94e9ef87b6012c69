"""The table: which face stands behind which paths, with which proof. Everything else is refused."""

import logging
import time
from functools import partial
from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from optout_service import background, keyfiles, plumbing, telemetry, watching, web
from optout_service.api import FACE as API
from optout_service.api import feed
from optout_service.api.auth import Remembered
from optout_service.api.express import PlainCheck
from optout_service.api.limits import Limits
from optout_service.api.use import EVERY_SECONDS, KeyUse
from optout_service.apidocs import FACE as APIDOCS
from optout_service.core.errors import StoreUnavailable
from optout_service.envelope import Envelope
from optout_service.evidence.keeping import keep
from optout_service.express import Application, Express
from optout_service.metrics.port import MetricsPort
from optout_service.providers import FACE as PROVIDERS
from optout_service.providers.hooks import SNS_HOST
from optout_service.providers.sns_host import SnsHost
from optout_service.recipients import FACE as RECIPIENTS
from optout_service.recipients import visits
from optout_service.recipients.asking import Requests
from optout_service.recipients.express import OneClick
from optout_service.recipients.visits import Visits
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.turning_away import TurningAway

_POOLS_EVERY_SECONDS: Final = 10
_TRIES: Final = 10
_BETWEEN_TRIES_SECONDS: Final = 0.5

_log = logging.getLogger(__name__)

FACES: Final = (API, RECIPIENTS, PROVIDERS, plumbing.FACE, APIDOCS)
_DOORS: Final = web.Doors.of(FACES)


def start(settings: Settings) -> Flask:
    """The application as a server's process runs it: its log, its store, and what is done beside.

    Call it in each worker, after the fork. Raises what ``Runtime.build`` raises, but for a store
    that cannot be reached: that is waited for, and after some seconds it ends the process.
    """
    telemetry.configure(settings.log_level)
    runtime = _opened(settings)
    app = create_app(runtime)
    keep(runtime)
    failed = runtime.metrics.task_failed
    write_use = partial(app.extensions["optout_key_use"].write, runtime)
    background.every(EVERY_SECONDS, write_use, partial(failed, "key use"))
    write_visits = partial(app.extensions["optout_visits"].write, runtime)
    background.every(visits.EVERY_SECONDS, write_visits, partial(failed, "visits"))
    if settings.metrics_port:
        note = partial(watching.note_pools, runtime)
        background.every(_POOLS_EVERY_SECONDS, note, partial(failed, "pools"))
    return app


def _opened(settings: Settings) -> Runtime:
    """The runtime. A worker takes another's place at any time, also while the database is away.

    An exception would have gunicorn end the whole service. A process that ends has it start
    another, and so it comes back by itself when the database does.
    """
    keys = keyfiles.load(settings)
    for _ in range(_TRIES):
        try:
            return Runtime.build(settings, keys)
        except StoreUnavailable as fault:
            _log.warning("the store cannot be reached; a worker waits for it", exc_info=fault)
            time.sleep(_BETWEEN_TRIES_SECONDS)
    raise SystemExit(1)


def create_app(runtime: Runtime) -> Flask:
    """The WSGI application over one runtime."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.request_class = web.Request
    app.config["MAX_CONTENT_LENGTH"] = runtime.settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = runtime.settings.max_body_bytes
    app.extensions["optout"] = runtime
    app.extensions["optout_watch"] = feed.watch(runtime)
    app.extensions[SNS_HOST] = SnsHost()
    app.extensions["optout_visits"] = Visits()
    app.extensions["optout_link_requests"] = Requests(runtime.settings)
    runtime.tables.keep_up()
    runtime.readers.warm()
    _DOORS.open(app)
    app.wsgi_app = _around(app, runtime)  # type: ignore[method-assign, assignment]
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _refuse)
    return app


def _around(app: Flask, runtime: Runtime) -> Application:
    remembered = app.extensions["optout_callers"] = Remembered()
    limits = app.extensions["optout_limits"] = Limits.of(runtime.settings)
    use = app.extensions["optout_key_use"] = KeyUse()
    settings = runtime.settings
    check = PlainCheck(runtime, remembered, limits, use)
    express = Express(app.wsgi_app, (check, OneClick(runtime)))
    calm = TurningAway(express, runtime.metrics, settings.public_url)
    whole = Envelope(calm, runtime.metrics, access_log=settings.access_log)
    if not settings.metrics_port:
        return whole
    return MetricsPort(whole, settings.metrics_port, partial(watching.show, runtime))


def _refuse(error: Exception) -> Response:
    """An error in the words of whoever stands at the door."""
    ours, status = web.refuse(web.as_optout_error(error))
    for face in FACES:
        if request.path.startswith(face.prefixes):
            return face.refuse(ours, status)
    return web.problem(ours, status)
