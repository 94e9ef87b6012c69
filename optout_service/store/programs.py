"""PostgreSQL's own client programs, run on one of its databases."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import IO, Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from optout_service import disk
from optout_service.core.errors import Misconfigured, StoreUnavailable

_MOST_SAID: Final = 500
_BLOCK: Final = 16_384


def run(program: str, url: str, work: Path, *arguments: str) -> None:
    """Run one to its end. ``work``: a directory of ours, for a password and what is said.

    Raises Misconfigured where it is not here, StoreUnavailable with its words where it fails.
    """
    command = [_found(program), "--no-password", f"--dbname={_conninfo(url, work)}", *arguments]
    with (work / f"{program}.said").open("wb+") as said:
        with Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=said) as running:
            pass
        _require_done(program, running.returncode, said)


def pour(url: str, work: Path, reading: Sequence[str], last: str) -> None:
    """Enter the SQL that a program writes, and ``last`` after it, in one transaction: all or none.

    The transaction is ended here, once all has come: whoever dies on the way leaves none of it.
    Raises as ``run`` does.
    """
    program, *arguments = reading
    read = [_found(program), *arguments]
    enter = [_found("psql"), "--no-password", f"--dbname={_conninfo(url, work)}"]
    enter += ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with (work / "read.said").open("wb+") as said, (work / "psql.said").open("wb+") as answered:
        with (
            Popen(enter, stdin=PIPE, stdout=DEVNULL, stderr=answered) as psql,
            Popen(read, stdin=DEVNULL, stdout=PIPE, stderr=said) as reader,
        ):
            try:
                came = _handed_over(reader, psql, last)
            except BaseException:
                psql.kill()
                reader.kill()
                raise
        if came:
            _require_done("psql", psql.returncode, answered)
        _require_done(program, reader.returncode, said)


def _handed_over(reader: "Popen[bytes]", psql: "Popen[bytes]", last: str) -> bool:
    """Whether all of it came. Without its last words psql's transaction is none."""
    assert reader.stdout is not None
    assert psql.stdin is not None
    try:
        psql.stdin.write(b"BEGIN;\n")
        shutil.copyfileobj(reader.stdout, psql.stdin, _BLOCK)
        if reader.wait():
            psql.kill()
            return False
        psql.stdin.write(f"{last}COMMIT;\n".encode())
    except BrokenPipeError:
        reader.kill()  # psql has ended, and says why
    finally:
        with suppress(BrokenPipeError):
            psql.stdin.close()
    return True


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Misconfigured(
            f"{program} is not on the PATH. It comes with PostgreSQL's client programs "
            "(postgresql-client), of the server's version or a newer one."
        )
    return found


def _require_done(program: str, status: int, said: IO[bytes]) -> None:
    if status:
        said.seek(0)
        text = said.read(8 * _MOST_SAID).decode(errors="replace").split("\nDETAIL")[0]
        words = " ".join(text.split())[:_MOST_SAID]
        raise StoreUnavailable(f"{program} ended with status {status}: {words}")


def _conninfo(url: str, work: Path) -> str:
    """The URL as libpq reads it, its password in a file: arguments are seen by everybody here."""
    # SQLAlchemy knows how several hosts stand in a URL of its own; libpq's differs.
    parameters: dict[str, Any] = PGDialect_psycopg().create_connect_args(make_url(url))[1]  # type: ignore[no-untyped-call]
    parameters.setdefault("target_session_attrs", "primary")
    if password := parameters.pop("password", None):
        secret = work / "pgpass"
        secret.unlink(missing_ok=True)
        with disk.new(secret) as passwords:
            escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
            passwords.write(f"*:*:*:*:{escaped}\n".encode())
        parameters["passfile"] = str(secret)
    try:
        return make_conninfo(**parameters)
    except psycopg.Error:
        raise Misconfigured("OPTOUT_DATABASE_URL: libpq cannot read it.") from None
