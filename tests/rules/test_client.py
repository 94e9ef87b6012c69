"""What senders import stays light: a sender's process gets no server with it."""

import subprocess
import sys

HEAVY = {"flask", "werkzeug", "sqlalchemy", "alembic", "psycopg", "twilio", "gunicorn", "numpy"}


def test_the_client_brings_no_server_with_it() -> None:
    code = "import sys, optout_service.client; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()}
    assert "optout_service" in loaded
    assert loaded & HEAVY == set()
