"""After an outage: what Twilio's log holds and we do not is recorded once, and nothing else."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from optout_service.core.errors import InvalidRequest, ProviderUnavailable
from optout_service.providers import messaging, recovery, reports, twilio_log
from optout_service.providers.inbound import Inbound
from optout_service.providers.recovery import Report, Silence, silences
from optout_service.runtime import Runtime
from tests import stage
from tests.cast import ANA
from tests.providers.playing import events, suppressed
from tests.stage import Cast
from tests.twilio_api import Message, Standin, message, serving

DAY = datetime(2026, 11, 24, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return DAY + timedelta(hours=hour, minutes=minute)


class Then(Runtime):
    """A runtime at a time of our choosing."""

    moment: ClassVar[datetime] = DAY

    def now(self) -> datetime:
        """The time of the play."""
        return self.moment


@pytest.fixture
def then(rt: Runtime, cast: Cast) -> Iterator[Then]:
    """The same store, on the day of the play."""
    runtime = Then(**{part.name: getattr(rt, part.name) for part in fields(rt)})
    yield runtime
    Then.moment = DAY


Reconcile = Callable[..., Report]


@pytest.fixture
def reconcile(then: Then, cast: Cast) -> Reconcile:
    """Read this log through the client, and record what is missing."""

    def run(log: list[Message], since: datetime = DAY, **options: Any) -> Report:
        Then.moment = DAY + timedelta(days=1)
        with serving(Standin(log)) as api:
            read = read_log(api, since)
            return recovery.recover(then, read, [cast.acme], **options)

    return run


def read_log(api: Standin, since: datetime = DAY, waited: list[float] | None = None) -> Any:
    waits = [] if waited is None else waited
    return twilio_log.messages(stage.ACCOUNT, stage.TOKEN, since, api=api.url, pause=waits.append)


def hook(rt: Runtime, cast: Cast, sent: Message) -> None:
    """The message arrives as it should, at the time at which it was sent."""
    Then.moment = sent["at"]
    told = twilio_log.as_told(stage.ACCOUNT, Resource(sent))
    assert told is not None
    # A hook does not say when it was sent.
    heard = replace(told, occurred_at=None)
    if isinstance(heard, Inbound):
        messaging.receive(rt, heard, [cast.acme])
    else:
        reports.receive(rt, heard, [cast.acme])


@dataclass
class Resource:
    """A message as Twilio's client gives it."""

    sent: Message

    def __getattr__(self, name: str) -> Any:
        if name in ("date_sent", "date_created"):
            return self.sent["at"]
        return self.sent["from" if name == "from_" else name]


def test_a_stop_that_never_arrived_is_recorded_with_its_own_time(
    reconcile: Reconcile, rt: Runtime, cast: Cast
) -> None:
    report = reconcile([message("SM1", at(10)), message("SM2", at(11), body="thanks, all good")])
    assert (report.read, report.known, dict(report.missed)) == (2, 0, {"opt_out": 1})
    assert suppressed(rt, cast.acme)
    assert report.silences == [Silence(None, at(10), at(10), None, 1)]


def test_a_second_run_finds_nothing_more(reconcile: Reconcile, rt: Runtime) -> None:
    log = [
        message("SM1", at(9), body="wrong number"),
        message("SM2", at(10)),
        message("SM3", at(11), body="START"),
        message("SM4", at(12), **failed("21610")),
        message("SM5", at(13), to="+15005550009"),
        message("SM6", at(14), body="HELP"),
        message("SM7", at(15), body="START", to="+15005550009"),
    ]
    first = reconcile(log)
    written = events(rt)
    second = reconcile(log)
    assert first.missed.total() == second.known == 5
    assert second.missed.total() == 0
    assert events(rt) == written


def failed(code: str, **more: Any) -> dict[str, Any]:
    ends = {"from": stage.LONG_CODE, "to": ANA.phone, "direction": "outbound-api"}
    return ends | {"status": "undelivered", "error_code": int(code), "body": "Sale!"} | more


@pytest.mark.parametrize("code", ["21610", "30004", "63014"])
def test_a_failure_that_tells_of_a_block_is_recorded(
    reconcile: Reconcile, rt: Runtime, cast: Cast, code: str
) -> None:
    ends = (
        {} if code != "63014" else {"from": "whatsapp:+15005550006", "to": f"whatsapp:{ANA.phone}"}
    )
    report = reconcile([message("SM1", at(10), **failed(code, **ends))])
    assert dict(report.missed) == {"blocked": 1}
    assert suppressed(rt, cast.acme, "whatsapp" if ends else "sms")


def test_a_failure_that_tells_of_nobodys_will_is_not(reconcile: Reconcile, rt: Runtime) -> None:
    report = reconcile([message("SM1", at(10), **failed("30003"))])
    assert report.missed.total() == 0
    assert events(rt) == 0


def test_a_dry_run_counts_and_writes_nothing(reconcile: Reconcile, rt: Runtime) -> None:
    log = [message("SM1", at(10)), message("SM2", at(12), **failed("21610"))]
    assert reconcile(log, dry_run=True).missed.total() == 2
    assert events(rt) == 0


def test_what_was_sent_before_is_left_alone(reconcile: Reconcile, rt: Runtime) -> None:
    log = [message("SM1", at(10)), message("SM2", at(12), body="UNSUBSCRIBE")]
    assert reconcile(log, since=at(11)).read == 1
    assert events(rt) == 1


def test_an_old_start_found_late_does_not_undo_a_newer_stop(
    reconcile: Reconcile, then: Then, cast: Cast
) -> None:
    hook(then, cast, stop := message("SM2", at(12)))
    report = reconcile([message("SM1", at(11), body="START"), stop])
    assert dict(report.missed) == {"opt_in": 1}
    assert suppressed(then, cast.acme)


def test_whoever_came_back_after_a_stop_that_we_missed_is_not_kept_out(
    reconcile: Reconcile, then: Then, cast: Cast
) -> None:
    hook(then, cast, start := message("SM2", at(12), body="START"))
    log = [message("SM1", at(11)), start]
    reconcile(log)
    assert not suppressed(then, cast.acme)
    again = reconcile(log)
    assert again.missed.total() == 0
    assert not suppressed(then, cast.acme)


def test_but_a_stop_after_that_start_stands(reconcile: Reconcile, then: Then, cast: Cast) -> None:
    hook(then, cast, start := message("SM2", at(12), body="START"))
    hook(then, cast, stop := message("SM3", at(13)))
    reconcile([message("SM1", at(11)), start, stop])
    assert suppressed(then, cast.acme)


def test_the_silences_lie_between_what_was_heard() -> None:
    heard = [(at(1), True), (at(2), False), (at(3), False), (at(4), True), (at(5), False)]
    assert silences(heard) == [
        Silence(at(1), at(2), at(3), at(4), 2),
        Silence(at(4), at(5), at(5), None, 1),
    ]
    assert silences([]) == []
    assert silences([(at(1), True)]) == []


def test_all_pages_are_read(reconcile: Reconcile) -> None:
    log = [message(f"SM{n}", at(0) + timedelta(minutes=n), body="hello") for n in range(250)]
    assert reconcile(log).read == 250


def test_a_busy_api_is_asked_again_when_it_says() -> None:
    waited: list[float] = []
    with serving(Standin([message("SM1", at(10))])) as api:
        api.faults = [(429, {"Retry-After": "7"}), (503, {}), (500, {"Retry-After": "soon"})]
        assert len(list(read_log(api, waited=waited))) == 1
    assert waited == [7, 2, 4]


def test_an_api_that_never_answers_is_given_up_and_nothing_is_recorded(
    then: Then, cast: Cast
) -> None:
    with serving(Standin([message("SM1", at(10))])) as api:
        api.faults = [(503, {})] * 9
        with pytest.raises(ProviderUnavailable, match="nothing was recorded"):
            recovery.recover(then, read_log(api), [cast.acme])
        assert len(api.asked) == 5
    with pytest.raises(ProviderUnavailable):
        list(read_log(api))
    assert events(then) == 0


def test_a_log_that_breaks_off_in_the_middle_records_nothing(then: Then, cast: Cast) -> None:
    log = [message(f"SM{n}", at(0) + timedelta(minutes=n)) for n in range(30)]
    with serving(Standin(log, page=10)) as api:
        entries = read_log(api)
        first = next(entries)
        api.faults = [(503, {})] * 9

        def broken() -> Iterator[Any]:
            yield first
            yield from entries

        with pytest.raises(ProviderUnavailable):
            recovery.recover(then, broken(), [cast.acme])
    assert events(then) == 0


def test_a_token_that_is_not_accepted_is_said_to_be_so() -> None:
    with serving(Standin([], token="another")) as api, pytest.raises(InvalidRequest, match="token"):
        list(read_log(api))


@pytest.mark.parametrize(
    "api",
    ["https://api.twilio.example", "http://api.twilio.com", "http://192.0.2.1:80", "file:///x", ""],
)
def test_the_token_is_shown_to_twilio_and_to_this_machine_alone(api: str) -> None:
    with pytest.raises(InvalidRequest):
        twilio_log.require_api(api)
