"""gunicorn reads this by itself when started here: ``gunicorn wsgi:app``."""

from optout_service import serving
from optout_service.settings import Settings

globals().update(serving.options(Settings.from_process()))
