"""The release before this one as its user has it: a database of its own making, with everything."""

import json
import uuid
from typing import Any, Final

import httpx
from sqlalchemy import create_engine, func, inspect, make_url, select, table

from optout_service.providers import twilio
from tests.server import Server

PHONES: Final = ("+14155552671", "+14155552672")
"""Of somebody who texted STOP, and of somebody whose text was doubtful."""

MAILS: Final = tuple(f"before{number}@example.com" for number in range(6))
"""Who left by every other door."""

_HOOK: Final = "/hooks/twilio/messages"
_PAIR: Final = {"List-Unsubscribe": "One-Click"}


class Former:
    """Its demo, once it answers: what it told, and what can be asked of it."""

    def __init__(self, demo: Server) -> None:
        self._demo = demo
        self.told: dict[str, Any] = json.loads((demo.data_dir / "demo.json").read_text())

    def ask(self, role: str, method: str, path: str, **given: Any) -> Any:
        """Ask its API with the key of a role; it must do well."""
        given.setdefault("headers", {})["Authorization"] = f"Bearer {self.told['keys'][role]}"
        return self._request(method, path, **given).json()

    def links(self, addresses: list[str]) -> list[str]:
        """Links that it mints, without where it is."""
        wanted = [{"channel": "email", "address": a, "topic": "newsletter"} for a in addresses]
        made = self.ask("sender", "POST", "/v1/links/batch", json={"links": wanted})
        return [httpx.URL(link["url"]).path for link in made["links"]]

    def fill(self) -> None:
        """Have people leave by every door, and its owner use all there is to set up."""
        by_click, by_page, by_api, by_import, back, by_hand = MAILS
        click, page = self.links([by_click, by_page])
        self._request("POST", click, data=_PAIR)
        self._request("GET", page)
        self._request("POST", page, data={"action": "topic"})
        address = {"channel": "email", "address": by_api}
        self.ask(
            "integration",
            "POST",
            "/v1/opt-outs",
            json=address,
            headers={"Idempotency-Key": "once"},
        )
        self.ask(
            "integration",
            "POST",
            "/v1/imports?channel=email",
            content=by_import,
            headers={"Content-Type": "text/plain"},
        )
        self._request("POST", self.links([back])[0], data=_PAIR)
        self._text("STOP", PHONES[0])
        self._text("No", PHONES[1])
        self.ask(
            "admin",
            "PUT",
            "/v1/texts",
            json={"said": "stop", "text": "{brand}: no more. START comes back."},
        )
        self.ask("admin", "PUT", "/v1/brand", json={"name": "Demo", "colour": "#a3182a"})
        at, of = ["--tenant", self.told["tenant"]], self.told["twilio"]
        sender = ["--account", of["account"], "--address", of["to"]]
        self._demo.run("sender", "script", "set", *at, *sender, "--key", "8")
        self._demo.run("hold", "add", *at, "--address", by_hand, "--reason", "case 7")
        self._demo.run("mailbox", "add", *at, "leave@shop.example")
        self._demo.run(
            "opt-out", "--address", by_hand, *at, "--channel", "email", "--reference", "letter"
        )

    def _text(self, body: str, phone: str) -> None:
        told = self.told["twilio"]
        fields = {
            "AccountSid": told["account"],
            "MessageSid": f"SM{uuid.uuid4().hex}",
            "From": phone,
            "To": told["to"],
            "Body": body,
        }
        signature = twilio.sign(told["auth_token"], f"{told['public_url']}{_HOOK}", fields)
        self._request("POST", _HOOK, data=fields, headers={"X-Twilio-Signature": signature})

    def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        answer = httpx.request(method, f"{self._demo.base_url}{path}", timeout=30, **given)
        assert answer.is_success, (path, answer.status_code, answer.text[:300])
        return answer


def empty_tables(database_url: str) -> list[str]:
    """The tables of a database in which nothing is."""
    url = make_url(database_url)
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    engine = create_engine(url)
    with engine.connect() as connection:
        counted = {
            name: connection.execute(select(func.count()).select_from(table(name))).scalar_one()
            for name in inspect(engine).get_table_names()
        }
    engine.dispose()
    return [name for name, number in counted.items() if not number]
