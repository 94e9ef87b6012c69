"""The table: which face stands behind which paths, with which proof. Everything else is refused."""

from typing import Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from optout_service import plumbing, web
from optout_service.api import FACE as API
from optout_service.api import feed
from optout_service.api.auth import Remembered
from optout_service.api.express import PlainCheck
from optout_service.apidocs import FACE as APIDOCS
from optout_service.envelope import Envelope
from optout_service.express import Express
from optout_service.providers import FACE as PROVIDERS
from optout_service.recipients import FACE as RECIPIENTS
from optout_service.recipients.express import OneClick
from optout_service.runtime import Runtime

FACES: Final = (API, RECIPIENTS, PROVIDERS, plumbing.FACE, APIDOCS)


def create_app(runtime: Runtime) -> Flask:
    """The WSGI application over one runtime."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = runtime.settings.max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = runtime.settings.max_body_bytes
    app.extensions["optout"] = runtime
    runtime.tables.keep_up()
    runtime.readers.warm()
    # A redirect would turn a mail client's POST into a GET, and lose the opt-out (RFC 8058, 3.1).
    app.url_map.strict_slashes = False
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    for face in FACES:
        web.register(app, face)
    remembered = app.extensions["optout_callers"] = Remembered()
    app.extensions["optout_watch"] = feed.watch(runtime)
    lanes = (PlainCheck(runtime, remembered), OneClick(runtime))
    express = Express(app.wsgi_app, lanes)
    enveloped = Envelope(express, access_log=runtime.settings.access_log)
    app.wsgi_app = enveloped  # type: ignore[method-assign]
    app.register_error_handler(HTTPException, _refuse)
    app.register_error_handler(Exception, _refuse)
    return app


def _refuse(error: Exception) -> Response:
    """An error in the words of whoever stands at the door."""
    ours, status = web.refuse(web.as_optout_error(error))
    for face in FACES:
        if request.path.startswith(face.prefixes):
            return face.refuse(ours, status)
    return web.problem(ours, status)
