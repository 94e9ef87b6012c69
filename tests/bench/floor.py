"""The floor: bare Flask routes under the very gunicorn settings of the service.

Run as ``python -m tests.bench.floor``, set by the same OPTOUT_* variables.
"""

from typing import Final

import msgspec
from flask import Flask, request

from optout_service import serving
from optout_service.settings import Settings

# As long as the recipients' page in English.
_PAGE: Final = f"<h1>Stop these messages?</h1>{'.' * 5555}"


def make_app() -> Flask:
    """Routes that read what ours read, and answer as much, and do nothing between."""
    app = Flask("floor")

    @app.get("/readyz")
    def ready() -> str:
        return "ready"

    @app.post("/v1/check")
    def check() -> bytes:
        request.get_data()
        return b'{"suppressed":false,"address":"r1@example.com","matches":[],"as_of":1}'

    @app.post("/v1/check/batch")
    def batch() -> dict[str, int]:
        return {"checked": len(msgspec.json.decode(request.get_data())["addresses"])}

    @app.get("/u/<token>")
    def page(token: str) -> str:
        return _PAGE

    @app.post("/hooks/twilio/messages")
    def hook() -> bytes:
        return b"<Response/>" if request.form.get("Body") else b"<Response>?</Response>"

    @app.post("/u/<token>")
    def one_click(token: str) -> str:
        return "You are unsubscribed." if request.form.get("List-Unsubscribe") else token

    return app


if __name__ == "__main__":
    serving.serve(Settings.from_process(), make_app=make_app)
