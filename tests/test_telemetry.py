"""Log lines: JSON, and no address, token or key in them, whoever wrote the line."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from optout_service import telemetry

TOKEN = (
    "AQAAAAEAB4L8xoSyt71GnY1fIrEb-_arvLf3UMgLA61GfBQ0hODCffTD6PMa8LU~"
    "ZzcWsmG9nwGNbwfaSH_g9d-ukJStPV5BK4Dh6l0CT1g"
)
API_KEY = "oo_jVqkYy0w3l5t7rP1aBcDeFgHiJkLmNoPqRsTuVwXyZ0"
PLANTED = [
    "ana.canary@example.com",
    "ANA+tag@Example.COM",
    '"odd one"@example.com',
    "ana%40example.com",
    "+14155552671",
    "+1 (415) 555-2671",
    "%2B14155552671",
    f"sha256:{'ab' * 32}",
    f"/u/{TOKEN}",
    f"/u/{TOKEN[:-9]}",
    TOKEN,
    API_KEY,
    f"Authorization: Bearer {API_KEY[3:]}",
    "postgresql://optout:hunter2@db/x",
]
# What must not survive of each: the telling part.
TELLING = ["ana", "ANA", "one\"@", "ana", "4155552671", "555-2671", "4155552671", "abab",
           TOKEN[:20], TOKEN[:20], TOKEN[:20], API_KEY[3:20], API_KEY[3:20], "hunter2"]  # fmt: skip


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(telemetry.formatter())
    log = logging.getLogger("optout_service.tests")
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.DEBUG)
    yield stream
    log.handlers.clear()
    log.propagate = True


LOG = logging.getLogger("optout_service.tests")


def test_a_line_is_one_json_object(lines: io.StringIO) -> None:
    telemetry.bind_request("0123abcd")
    LOG.warning("two\nlines", extra={"status": 503})
    (line,) = lines.getvalue().splitlines()
    read = json.loads(line)
    assert read.pop("timestamp").endswith("Z")
    assert read == {
        "event": "two\nlines",
        "status": 503,
        "level": "warning",
        "logger": "optout_service.tests",
        "request_id": "0123abcd",
    }


@pytest.mark.parametrize(("planted", "telling"), list(zip(PLANTED, TELLING, strict=True)))
def test_nothing_private_is_in_a_line(lines: io.StringIO, planted: str, telling: str) -> None:
    LOG.info("said %s here", planted, extra={"field": planted, "deep": {"list": [planted]}})
    try:
        raise ValueError(f"cannot take {planted!r}")
    except ValueError:
        LOG.exception("failed")
    assert telling not in lines.getvalue()
    assert "said" in lines.getvalue()
    assert "ValueError" in lines.getvalue()


def test_the_parameters_of_a_failed_statement_are_not_in_a_line(
    lines: io.StringIO,
) -> None:
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT :a FROM nowhere"), {"a": "ana.canary@example.com"})
    except Exception:
        LOG.exception("failed")
    assert "nowhere" in lines.getvalue()
    assert "canary" not in lines.getvalue()


def test_local_variables_are_not_in_a_line(lines: io.StringIO) -> None:
    secret = "a secret without any shape"
    try:
        raise ValueError
    except ValueError:
        LOG.exception("failed")
    assert secret not in lines.getvalue()


@given(st.emails())
def test_no_email_address_survives(address: str) -> None:
    local = address.rpartition("@")[0]
    assume(len(local) > 3)
    assert address not in telemetry.mask(f"to {address} today")


def test_an_access_line_has_the_route_and_not_the_path(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.access("POST", "/u/<token>", "200", 1.26, "0123abcd")
    line = json.loads(capfd.readouterr().err)
    assert (line["route"], line["status"], line["ms"]) == ("/u/<token>", 200, 1.3)
