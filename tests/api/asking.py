"""How the tests ask the API: as a key's holder would, through the whole stack."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import stage
from tests.cast import ANA

MAIL = ANA.email
PHONE = ANA.phone
WORDS = {"reference": "T-1", "statement": "She wrote: please send it again."}


@dataclass(frozen=True)
class Asker:
    """A client that holds every key; ``by`` says which one is shown, None for none."""

    client: FlaskClient
    keys: Mapping[str, str]

    def post(
        self, path: str, body: Any, *, by: str | None = "integration", **headers: str
    ) -> TestResponse:
        """POST JSON."""
        return self.client.post(path, json=body, headers=self.headers(by, headers))

    def get(
        self,
        path: str,
        *,
        by: str | None = "integration",
        query: Any = None,
        **headers: str,
    ) -> TestResponse:
        """GET with a query."""
        return self.client.get(path, query_string=query, headers=self.headers(by, headers))

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        by: str | None = "admin",
        query: Any = None,
        **headers: str,
    ) -> TestResponse:
        """Any method, with a JSON body if there is one."""
        shown = self.headers(by, headers)
        return self.client.open(path, method=method, json=body, query_string=query, headers=shown)

    def headers(self, by: str | None, further: Mapping[str, str]) -> dict[str, str]:
        """The key's header, and others: ``Optout_Tenant`` is sent as ``Optout-Tenant``."""
        shown = {} if by is None else {"Authorization": f"Bearer {self.keys[by]}"}
        return shown | {name.replace("_", "-"): value for name, value in further.items()}

    def opt_out(self, address: str = MAIL, *, by: str = "integration", **more: Any) -> Any:
        """Record an opt-out and give the answer's JSON."""
        headers = {"Optout_Tenant": more.pop("tenant")} if "tenant" in more else {}
        body = {
            "channel": "email" if "@" in address else "sms",
            "address": address,
            **more,
        }
        answer = self.post("/v1/opt-outs", body, by=by, **headers)
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    def opt_in(self, address: str = MAIL, *, by: str = "integration", **more: Any) -> TestResponse:
        """Record an opt-in."""
        channel = "email" if "@" in address else "sms"
        body = {"channel": channel, "address": address, **WORDS, **more}
        return self.post("/v1/opt-ins", body, by=by)

    def check(self, address: str = MAIL, *, by: str = "sender", **more: Any) -> Any:
        """Check, and give the answer's JSON."""
        body = {
            "channel": "email" if "@" in address else "sms",
            "address": address,
            **more,
        }
        answer = self.post("/v1/check", body, by=by)
        assert answer.status_code == 200, answer.text
        return answer.json

    def suppressed(self, address: str = MAIL, *, by: str = "sender", **more: Any) -> bool:
        """Whether a check says that nobody may send."""
        found: bool = self.check(address, by=by, **more)["suppressed"]
        return found


def sha256_of(canonical: str) -> str:
    """An address as partners exchange it."""
    return f"sha256:{sha256(canonical.encode()).hexdigest()}"


_PLACES = {
    "/v1/tenants/<slug>": "/v1/tenants/acme",
    "/v1/topics/<slug>": "/v1/topics/newsletter",
    "<int:number>": "1",
    "<provider>": "twilio",
    "<account>": stage.ACCOUNT,
    "<address>": stage.LONG_CODE,
}
"""What stands for the variables of a path: things of Acme's."""


def path_of(rule: str) -> str:
    """A path that a route's rule matches, in the tests' world."""
    for variable, value in _PLACES.items():
        rule = rule.replace(variable, value)
    return rule
