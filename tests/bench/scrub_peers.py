"""What a user would scrub a list with instead, each as its own process would do it.

Each takes the list and the suppressed from where that way has them, and writes the allowed rows to
a file. What is loaded beforehand is said in the name.
"""

import csv
import sqlite3
import time
from itertools import islice
from pathlib import Path

import duckdb
import psycopg

CHUNK = 500


def duckdb_files(listed: Path, suppressed: Path, out: Path) -> None:
    """DuckDB, anti-join of two CSV files."""
    with duckdb.connect() as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(
            f"COPY (SELECT l.* FROM read_csv('{listed}', header = true) l ANTI JOIN "
            f"read_csv('{suppressed}', header = true) s ON lower(trim(l.email)) = s.email) "
            f"TO '{out}' (HEADER)"
        )


def prepare_postgresql(url: str, suppressed: Path) -> None:
    """A table of the suppressed as text, with its primary key."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE gone (email text PRIMARY KEY)")
        with (
            suppressed.open("rb") as file,
            connection.cursor().copy("COPY gone FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while block := file.read(1 << 20):
                copy.write(block)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE gone")


def postgresql(url: str, listed: Path, out: Path) -> None:
    """PostgreSQL: COPY in, NOT EXISTS, COPY out; the suppressed are there already."""
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TEMPORARY TABLE list (email text, name text, city text)")
        with (
            listed.open("rb") as file,
            connection.cursor().copy("COPY list FROM STDIN (FORMAT csv, HEADER)") as copy,
        ):
            while block := file.read(1 << 20):
                copy.write(block)
        connection.execute("ANALYZE list")
        with (
            out.open("wb") as file,
            connection.cursor().copy(
                "COPY (SELECT * FROM list l WHERE NOT EXISTS (SELECT FROM gone g WHERE "
                "g.email = lower(trim(l.email)))) TO STDOUT (FORMAT csv, HEADER)"
            ) as copy,
        ):
            for data in copy:
                file.write(data)


def prepare_sqlite(path: Path, suppressed: Path) -> None:
    """A table of the suppressed as text, with its primary key."""
    with sqlite3.connect(path) as connection, suppressed.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        connection.execute("CREATE TABLE gone (email text PRIMARY KEY) WITHOUT ROWID")
        connection.executemany("INSERT INTO gone VALUES (?)", sorted(rows))
    connection.close()


def sqlite(path: Path, listed: Path, out: Path) -> None:
    """Python and SQLite: csv, IN in chunks; the suppressed are there already."""
    connection = sqlite3.connect(path)
    statement = f"SELECT email FROM gone WHERE email IN ({','.join('?' * CHUNK)})"
    with listed.open(newline="") as file, out.open("w", newline="") as written:
        rows, writer = csv.reader(file), csv.writer(written)
        writer.writerow(next(rows))
        while chunk := list(islice(rows, CHUNK)):
            names = [row[0].strip().lower() for row in chunk]
            asked = names + [""] * (CHUNK - len(names))
            found = {name for (name,) in connection.execute(statement, asked)}
            writer.writerows(
                row for row, name in zip(chunk, names, strict=True) if name not in found
            )
    connection.close()


def seconds(run: object, *arguments: object) -> tuple[float, float]:
    """How long it took, and the CPU that this process used; the answer is in the file."""
    assert callable(run)
    started, used = time.perf_counter(), time.process_time()
    run(*arguments)
    return time.perf_counter() - started, time.process_time() - used
