"""Twilio on the phone: it posts, and follows what it is told as a person would hear it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests import stage
from tests.providers.playing import fields, send

PATH = "/hooks/twilio/voice"


def post(client: FlaskClient, url: str, form: dict[str, str], **how: str) -> TestResponse:
    """One signed request to one of our URLs, or to a path of them."""
    hook, mark, query = url.removeprefix(stage.PUBLIC_URL).partition("?")
    return send(client, form, hook=hook.removeprefix("/hooks/twilio/"), query=mark + query, **how)


@dataclass
class Phone:
    """One call. What was heard last is in ``said`` and ``verbs``."""

    client: FlaskClient
    form: dict[str, str]
    answer: Any = None

    @classmethod
    def rings(cls, client: FlaskClient, name: str, **changes: str) -> "Phone":
        """The call begins."""
        phone = cls(client, fields(name, **changes))
        phone._hear(post(client, PATH, phone.form))
        return phone

    def press(self, digits: str) -> "Phone":
        """Press keys, or none: Twilio asks the action that the Gather names."""
        action = self.gather.attrib["action"]
        self._hear(post(self.client, action, self.form | {"Digits": digits}))
        return self

    def fall_back(self, failed_url: str) -> "Phone":
        """The last request failed: Twilio asks the fallback."""
        form = self.form | {"ErrorCode": "11200", "ErrorUrl": failed_url}
        self._hear(post(self.client, f"{PATH}/fallback", form))
        return self

    @property
    def gather(self) -> ElementTree.Element:
        """The verb that listens."""
        found = self.document.find("Gather")
        assert found is not None, self.answer.text
        return found

    @property
    def action(self) -> str:
        """Where the next key goes."""
        return self.gather.attrib["action"]

    @property
    def verbs(self) -> list[str]:
        """The verbs in order, nested ones after the one that holds them."""
        return [element.tag for element in self.document.iter()][1:]

    @property
    def said(self) -> str:
        """All words of the last answer."""
        return " ".join(element.text or "" for element in self.document.iter("Say"))

    @property
    def languages(self) -> list[str]:
        """In which languages they were said."""
        return [element.attrib["language"] for element in self.document.iter("Say")]

    @property
    def over(self) -> bool:
        """Whether the call ends without listening any more."""
        return "Gather" not in self.verbs and self.verbs[-1:] == ["Hangup"]

    @property
    def status(self) -> int:
        """The status of the last answer."""
        return int(self.answer.status_code)

    def _hear(self, answer: TestResponse) -> None:
        self.answer = answer
        if answer.status_code == 200:
            assert answer.mimetype == "text/xml"
            self.document = ElementTree.fromstring(answer.text)


def path_of(url: str) -> str:
    """The path of a URL."""
    return urlsplit(url).path
