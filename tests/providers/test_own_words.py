"""What a person texts is read with the words of the tenant that the number belongs to."""

from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from optout_service.app import create_app
from optout_service.core.address import Address
from optout_service.core.scope import Kind, Scope
from optout_service.providers import twilio
from optout_service.runtime import Runtime
from tests import payloads, stage
from tests.cast import ANA

PATH = "/hooks/twilio/messages"
PHONE = Address.parse(Kind.PHONE, ANA.phone)


@pytest.mark.parametrize(
    ("owner", "body", "suppressed"),
    [
        ("acme", "please take me off your list", True),
        ("acme", "please cancel my order", False),
        ("acme", "vale acme", True),
        ("bolt", "vale acme", False),
    ],
)
def test_a_text_is_read_with_the_words_of_its_tenant(
    database_url: str, tmp_path: Path, owner: str, body: str, suppressed: bool
) -> None:
    (tmp_path / f"{owner}.toml").write_text('[en.keywords]\nopt_out = ["vale acme"]', "utf-8")
    settings = stage.settings_for(database_url, keywords_dir=str(tmp_path))
    rt = Runtime.set_up(settings, stage.KEYS)
    cast = stage.set_up(rt)
    form = dict(parse_qsl(payloads.load("twilio/stop_long_code").decode(), keep_blank_values=True))
    form["Body"] = body
    answer = (
        create_app(rt)
        .test_client()
        .post(
            PATH,
            data=form,
            headers={
                "X-Twilio-Signature": twilio.sign(stage.TOKEN, f"{stage.PUBLIC_URL}{PATH}", form)
            },
            environ_overrides={"RAW_URI": PATH},
        )
    )
    assert answer.status_code == 200
    assert rt.check(cast.acme, PHONE, Scope("sms", "*", "marketing")).suppressed is suppressed
    rt.close()
