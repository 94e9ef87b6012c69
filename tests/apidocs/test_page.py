"""The page of the API: whole without asking any other host, under a policy that lets nothing in."""

import re

import pytest
from flask.testing import FlaskClient


def test_the_page_names_no_other_host(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "//" not in re.sub(r"<!doctype html>", "", page.text)


def test_its_policy_lets_no_foreign_and_no_inline_script_in(client: FlaskClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "<script>" not in client.get("/docs").text


def test_every_part_it_names_is_there(client: FlaskClient) -> None:
    parts = re.findall(r'(?:src|href)="(/docs/[^"]+)"', client.get("/docs").text)
    assert len(parts) == 4
    for part in parts:
        answer = client.get(part)
        assert answer.status_code == 200
        assert answer.content_length


@pytest.mark.parametrize("name", ["nothing.js", "..%2f__init__.py", "__init__.py", "openapi.py"])
def test_nothing_else_is(client: FlaskClient, name: str) -> None:
    assert client.get(f"/docs/{name}").status_code == 404
