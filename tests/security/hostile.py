"""Texts that break what takes a text for something else, by what they are meant to break."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

MARK: Final = "owned"
"""Stands in most of them: where it comes back in an error, or in a statement, it got through."""

STATEMENTS: Final = (
    "owned' OR '1'='1' --",
    "owned'; DROP TABLE suppression; --",
    'owned"; DELETE FROM event; SELECT "',
    "owned') UNION SELECT digest, 1 FROM api_key --",
    "owned' AND 1=(SELECT 1 FROM pg_sleep(9)) --",
    "owned' AND 1=LIKE('a',UPPER(HEX(RANDOMBLOB(900000000)))) /*",
    "owned\\' || (SELECT version()) || '",
    "owned%' ESCAPE '!' OR topic LIKE '%",
)
TEMPLATES: Final = (
    "owned{{7*7}}{%for x in ()%}",
    "owned${7*7}#{7*7}<%=7*7%>",
    "owned{brand.__class__.__mro__}",
    "owned%(name)s%s%n%x",
)
HEADERS: Final = (
    "owned\r\nSet-Cookie: owned=1",
    "owned\nLocation: //owned.example",
    "owned" * 2000,
)
LINES: Final = (
    'owned", "event": "forged", "x": "',
    'owned\n{"event": "forged"}',
    "owned\x1b[2J\x1b[31m\x07\x08",
    "owned\u2028\u2029\u0085",
)
FORMULAS: Final = ("=1+owned()", "+owned|' /C calc'!A0", "-1+owned", "@SUM(owned)", "\t=owned()")
MARKUP: Final = (
    "<script>owned()</script>",
    '"><img src=x onerror=owned()>',
    "'><svg/onload=owned()>",
    "</style><style>*{background:url(//owned.example)}",
    "javascript:owned()//",
    "]]><Redirect>//owned.example</Redirect><![CDATA[",
    '<!DOCTYPE x [<!ENTITY owned SYSTEM "file:///etc/passwd">]>&owned;',
)
CHARACTERS: Final = (
    "owned\x00owned",
    "\u202eowned\u2066\u200b\ufeff",
    "owned" + "e\u0301\u0316" * 300,
    "\ufdfa" * 300 + "owned",
    "owned\U000e0041\U0010ffff\ufffe",
    "owned\x7f\x80\x9f",
)
PLACES: Final = (
    "../../../../../etc/owned",
    "..\\..\\owned",
    "%2e%2e%2fowned%00",
    "file:///etc/owned",
    "//owned.example/..;/",
)
ALL: Final[tuple[str, ...]] = (
    *STATEMENTS,
    *TEMPLATES,
    *HEADERS,
    *LINES,
    *FORMULAS,
    *MARKUP,
    *CHARACTERS,
    *PLACES,
)
ONE_OF_EACH: Final = tuple(
    kind[0]
    for kind in (STATEMENTS, TEMPLATES, HEADERS, LINES, FORMULAS, MARKUP, CHARACTERS, PLACES)
)

JSON: Final[Mapping[str, bytes]] = {
    "nothing": b"",
    "a byte order mark": b'\xef\xbb\xbf{"channel": "email"}',
    "another encoding": '{"channel": "email"}'.encode("utf-16"),
    "deep lists": b"[" * 50_000,
    "deep objects": b'{"channel":' * 50_000,
    "a deep field": b'{"channel": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a number that is none": b'{"channel": NaN, "address": Infinity}',
    "a huge number": b'{"channel": 1' + b"0" * 100_000 + b"}",
    "a huge power": b'{"channel": 1e400, "limit": -1e400}',
    "a lone surrogate": b'{"channel": "\\ud800", "address": "\\udfff\\ud800"}',
    "overlong UTF-8": b'{"channel": "\xc0\xaf\xe0\x80\xaf\xf4\x90\x80\x80"}',
    "a name a hundred times": b"{" + b'"channel": "email",' * 100 + b'"channel": 1}',
    "ten thousand names": b"{" + b",".join(b'"owned%d": 1' % n for n in range(10_000)) + b"}",
    "what came to be an object": b'{"__proto__": {"role": "admin"}, "constructor": 1}',
    "two documents": b'{"channel": "email"}{"channel": "sms"}',
    "a text that does not end": b'{"channel": "' + b"\\" * 9_999,
}
"""Bodies that are no JSON object, or one that is meant to be read otherwise than it was meant."""


def leaves(document: Any, put: str) -> Iterator[Any]:
    """The document again and again, each time with another of its texts replaced."""
    if isinstance(document, str):
        yield put
    parts = document.items() if isinstance(document, dict) else ()
    for name, part in parts:
        yield from (document | {name: other} for other in leaves(part, put))
    if isinstance(document, list):
        for place, part in enumerate(document):
            for other in leaves(part, put):
                yield [*document[:place], other, *document[place + 1 :]]


def as_header(text: str) -> str:
    """As it can stand in a header of a request: no line ends (RFC 9112, 5.5)."""
    return text.replace("\r", "").replace("\n", "").encode().decode("latin-1")
