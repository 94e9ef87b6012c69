"""What was stored of a hostile text is shown as text; lists and archives are taken in measure."""

import gzip
import json
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient

from optout_service.api import streams
from optout_service.core.token import Claim
from optout_service.runtime import Runtime
from optout_service.store import senders, tenants, texts
from tests import stage
from tests.api.asking import MAIL, Asker
from tests.api.test_auth import BODIES
from tests.cast import BO
from tests.providers.calling import Phone
from tests.providers.playing import fields, send
from tests.recipients.pages import Page
from tests.security import hostile
from tests.stage import Cast
from tests.store.acts import MAIL as ADDRESS

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])
STOP = fields("stop_long_code", Body="please stop texting me")
OURS = {"script", "svg", "img", "iframe", "object", "embed", "link", "base", "form"}
"""The tags by which a text could do something; a page of ours has forms alone, of our own."""


def named(rt: Runtime, cast: Cast, text: str) -> None:
    """Acme is called so, as are its topics and its contact."""
    with rt.writing() as connection:
        tenants.change(connection, "acme", name=text[:200], contact=text[:200], address_book=None)
        for slug in stage.TOPICS:
            tenants.rename_topic(connection, cast.acme, slug, text)


def nothing_happens(page: Page) -> None:
    """Forms to ourselves, and nothing else that does anything."""
    assert set(page.tags) & OURS <= {"form"}
    for tag, all_ in page.attributes.items():
        for given in all_:
            acting = [name for name in given if name.startswith("on") or name == "srcdoc"]
            assert not acting, tag
            where = given.get("href") or given.get("action") or ""
            assert "javascript" not in where, given
            assert "owned" not in where, given


@pytest.mark.parametrize("text", hostile.MARKUP)
def test_a_brand_and_its_topics_are_text_on_every_page(
    rt: Runtime, cast: Cast, client: FlaskClient, text: str
) -> None:
    named(rt, cast, text)
    token = rt.links.mint(Claim(cast.acme, "email", ADDRESS, "newsletter"))
    pages = [client.get(f"/u/{token}"), client.get(f"/u/{token[:-9]}")]
    pages.append(client.post(f"/u/{token}", data={"action": "choose", "stop": "topic:offers"}))
    pages.append(client.post(f"/u/{token}", data={"action": "topic"}))
    pages.append(client.post(f"/u/{token}", data={"action": "return"}))
    for answer in pages:
        nothing_happens(Page(answer.text))
    assert text[:20] in Page(pages[0].text).words


@pytest.mark.parametrize("text", [*hostile.MARKUP, *hostile.TEMPLATES])
def test_a_reply_and_a_call_say_it_and_do_nothing_else(
    rt: Runtime, cast: Cast, client: FlaskClient, text: str
) -> None:
    named(rt, cast, text)
    replied = ElementTree.fromstring(send(client, STOP).data)
    assert [one.tag for one in replied] == ["Message"]
    assert text[:20] in (replied[0].text or "")
    phone = Phone.rings(client, "call_inbound")
    assert {one.tag for one in phone.document.iter()} <= {"Response", "Gather", "Say", "Hangup"}


@pytest.mark.parametrize("text", ["{brand.__class__}", "{brand!r:>999999999}", "{0}", "{contact"])
def test_a_text_of_ones_own_is_no_format(rt: Runtime, cast: Cast, ask: Asker, text: str) -> None:
    body = {"said": "stop", "text": f"{{brand}}: {text} no more. START comes back."}
    answer = ask.send("PUT", "/v1/texts", body)
    assert answer.status_code in (200, 422)
    with rt.reading() as connection:
        told = [one.text for one in texts.list_all(connection, cast.acme)]
    assert all(len(one) < 1600 and "class '" not in one for one in told)


@pytest.mark.parametrize("text", hostile.MARKUP)
def test_evidence_is_read_and_not_run(ask: Asker, text: str) -> None:
    said = {"reference": text[:200], "statement": text}
    assert ask.post("/v1/opt-outs", BODIES["/v1/opt-outs"] | said, by="admin").status_code == 201
    asked = {"channel": "email", "address": MAIL, "format": "html"}
    answer = ask.post("/v1/recipients/evidence", asked, by="admin")
    page = Page(answer.text)
    nothing_happens(page)
    assert text[:15] in page.words
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


MEDIA = ("text/csv", "text/plain", "application/x-ndjson", "application/json", "application/zip")
LISTS = {
    **hostile.JSON,
    "a quote that does not end": b'address\n"owned' + b"x" * 200_000,
    "a row without an end": b"address\n" + b"owned" * 100_000,
    "ten thousand cells": b"address," + b"owned," * 10_000 + b"\n",
    "a NUL": b"address\nowned\x00@example.com\nowned@example.com\x00\n",
    "no line ends but odd ones": b"address\x0bowned\x0c\xe2\x80\xa8owned@x\xc2\x85",
    "a zip": b"PK\x03\x04" + b"owned" * 99,
    "records in records": b'[{"address": ' + b'{"a":' * 20_000,
}


@pytest.mark.parametrize("path", ["/v1/scrub?channel=email", "/v1/imports"])
def test_no_list_is_our_fault(ask: Asker, path: str) -> None:
    for media in MEDIA:
        for what, body in LISTS.items():
            shown = ask.headers("admin", {})
            answer = ask.client.post(path, data=body, content_type=media, headers=shown)
            assert answer.status_code < 500, (media, what)
            repeats = "scrub" in path and answer.status_code == 200
            assert repeats or hostile.MARK not in answer.text, (media, what)


@pytest.mark.parametrize("path", ["/v1/scrub?channel=email", "/v1/imports"])
def test_a_gzip_that_holds_far_more_than_lists_do_is_refused(
    ask: Asker, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_UNPACKED_FREELY", 100_000)
    plain = f"{BO.email}\n".encode() * 20_000
    packed = gzip.compress(plain)
    shown = ask.headers("admin", {"Content_Encoding": "gzip"})
    answer = ask.client.post(path, data=packed, content_type="text/plain", headers=shown)
    assert (answer.status_code, answer.json["kind"]) == (413, "too-large")
    honest = gzip.compress(b"".join(b"r%d@example.com\n" % number for number in range(9_000)))
    answer = ask.client.post(path, data=honest, content_type="text/plain", headers=shown)
    assert answer.status_code == 200


def test_what_a_key_an_account_and_a_sender_are_called_is_one_line(
    rt: Runtime, cast: Cast, ask: Asker
) -> None:
    for text in hostile.CHARACTERS[:2]:
        answer = ask.post("/v1/keys", {"role": "sender", "name": text}, by="admin")
        assert (answer.status_code, answer.json["field"]) == (422, "name")
    with rt.reading() as connection:
        assert senders.accounts(connection, "\x00", stage.ACCOUNT, keys=rt.keys) == []
        assert tenants.find(connection, "acme\x00") is None


def test_a_cursor_that_somebody_made_up_is_refused(ask: Asker) -> None:
    for text in (*hostile.ALL, "WyJhIl0", json.dumps([1]), "W1tbW1tb" * 20):
        for path in ("/v1/topics", "/v1/suppressions", "/v1/keys", "/v1/suppressions/changes"):
            answer = ask.get(path, by="admin", query={"cursor": text})
            assert answer.status_code in (200, 400, 422), (path, text)
            assert hostile.MARK not in answer.text
