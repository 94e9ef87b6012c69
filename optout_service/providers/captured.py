"""A request of Twilio's as somebody captured it: one JSON object, or the text of the HTTP request.

``{"method", "url", "headers", "body"}``; a body that is no text comes as ``body_base64``. What is
read here may be anything: it is looked at, and never acted on.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers, MultiDict

from optout_service.core.errors import Malformed

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Captured:
    """One request. ``url`` is absolute, or the bare target where the capture names no host."""

    method: str
    url: str
    headers: Headers
    body: bytes

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read a capture. Raises Malformed, which says what is missing and repeats nothing."""
        if text.lstrip()[:1] == b"{":
            return cls._from_json(text)
        return cls._from_http(text)

    @property
    def fields(self) -> MultiDict[str, str]:
        """The fields of a form, blank and repeated ones too; none of another body."""
        if not self.is_form:
            return MultiDict()
        text = self.body.decode("utf-8", "replace")
        return MultiDict(parse_qsl(text, keep_blank_values=True))

    @property
    def is_form(self) -> bool:
        """Whether the body is a form, by its media type, or by its looks where it has none."""
        media_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return media_type == FORM or (not media_type and self.body[:1] not in (b"", b"{", b"["))

    @classmethod
    def _from_json(cls, text: bytes) -> Self:
        try:
            told = json.loads(text)
            return cls(
                str(told.get("method", "POST")).upper(),
                _given(told, "url"),
                Headers({str(k): str(v) for k, v in dict(told.get("headers") or {}).items()}),
                _body(told),
            )
        except (ValueError, TypeError, AttributeError):
            raise Malformed(
                'A captured request is one JSON object: {"method", "url", "headers", "body"}.'
            ) from None

    @classmethod
    def _from_http(cls, text: bytes) -> Self:
        head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
        first, *lines = head.decode("utf-8", "replace").split("\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/"):
            raise Malformed(
                "A captured request is a JSON object, or begins as HTTP does: POST /path HTTP/1.1."
            )
        pairs = (line.partition(":") for line in lines)
        headers = Headers((name.strip(), value.strip()) for name, _, value in pairs)
        url = words[1]
        if url.startswith("/") and (host := headers.get("Host")):
            url = f"{headers.get('X-Forwarded-Proto', 'https')}://{host}{url}"
        return cls(words[0].upper(), url, headers, body.removesuffix(b"\n"))


def _given(told: Mapping[str, Any], name: str) -> str:
    if not isinstance(value := told.get(name), str) or not value:
        raise ValueError
    return value


def _body(told: Mapping[str, Any]) -> bytes:
    if encoded := told.get("body_base64"):
        return b64decode(encoded, validate=True)
    body = told.get("body") or ""
    if not isinstance(body, str):
        raise TypeError
    return body.encode()
