"""The application for any WSGI server: ``gunicorn wsgi:app``. OPTOUT_* sets it."""

from optout_service import keyfiles, telemetry
from optout_service.app import create_app
from optout_service.evidence.keeping import keep
from optout_service.runtime import Runtime
from optout_service.settings import Settings

settings = Settings.from_process()
telemetry.configure(settings.log_level)
runtime = Runtime.build(settings, keyfiles.load(settings))
keep(runtime)
app = create_app(runtime)
