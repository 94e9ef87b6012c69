"""What a sender says on the phone is checked when it is set."""

import pytest

from optout_service.core.errors import InvalidRequest, NotFound
from optout_service.runtime import Runtime
from optout_service.store import scripts, senders
from optout_service.store.scripts import CallScript
from optout_service.store.senders import Sender
from tests import stage
from tests.stage import Cast


def caller(rt: Runtime, cast: Cast) -> Sender:
    with rt.reading() as connection:
        return senders.get(connection, cast.acme, "twilio", stage.ACCOUNT, stage.LONG_CODE)


def test_a_script_is_found_again_and_the_last_one_counts(rt: Runtime, cast: Cast) -> None:
    of = caller(rt, cast)
    for script in (CallScript(message="Good morning."), CallScript("1", "es", "en")):
        with rt.writing() as connection:
            scripts.put(connection, of, script)
        with rt.reading() as connection:
            assert scripts.find(connection, of) == script


def test_without_a_script_there_is_none(rt: Runtime, cast: Cast) -> None:
    of = caller(rt, cast)
    with rt.writing() as connection:
        assert scripts.find(connection, of) is None
        scripts.put(connection, of, CallScript())
        scripts.remove(connection, of)
        assert scripts.find(connection, of) is None


@pytest.mark.parametrize(
    "script",
    [
        CallScript(opt_out_key="#"),
        CallScript(opt_out_key=""),
        CallScript(opt_out_key="12"),
        CallScript(opt_out_key="٣"),
        CallScript(message="http://acme.example/a.mp3"),
        CallScript(message="https://user:pass@acme.example/a.mp3"),
        CallScript(message="x" * 1001),
    ],
    ids=["hash", "none", "two keys", "another script's digit", "http", "password", "too long"],
)
def test_what_cannot_be_pressed_or_played_is_refused(
    rt: Runtime, cast: Cast, script: CallScript
) -> None:
    of = caller(rt, cast)
    with pytest.raises(InvalidRequest), rt.writing() as connection:
        scripts.put(connection, of, script)


def test_voicemail_names_only_a_number_that_is_ours(rt: Runtime, cast: Cast) -> None:
    of = caller(rt, cast)
    with pytest.raises(NotFound), rt.writing() as connection:
        scripts.put(connection, of, CallScript(call_back="+18005550100"))
