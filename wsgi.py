"""The application for any WSGI server: ``gunicorn wsgi:app``. OPTOUT_* sets it."""

from optout_service.app import start
from optout_service.settings import Settings

app = start(Settings.from_process())
