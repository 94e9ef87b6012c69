"""What the self-test tells of the proxies before the service, and of a hook that it signs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from optout_service.doctor import front, hooks, self_test
from optout_service.doctor.finding import Finding, Level
from optout_service.providers.twilio import sign
from optout_service.runtime import Runtime
from optout_service.settings import Settings
from optout_service.store import chain
from tests import stage
from tests.certificate import self_signed
from tests.doctor.proxying import Ways, proxying
from tests.server import Server, free_port
from tests.stage import Cast

Behind = Callable[[Ways], AbstractContextManager[Runtime]]


@pytest.fixture(scope="module")
def port() -> int:
    """Where people reach the service."""
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[tuple[Server, Cast]]:
    """A service that counts on one proxy."""
    public = {"OPTOUT_PUBLIC_URL": f"https://127.0.0.1:{port}", "OPTOUT_PROXIES": "1"}
    running = Server(tmp_path_factory.mktemp("front"), **public)
    cast = running.set_up()
    running.start()
    yield running, cast
    running.stop()


@pytest.fixture
def behind(
    server: tuple[Server, Cast], port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Behind:
    """The store of the service, which stands behind a proxy with these ways."""
    certificate, _ = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    @contextmanager
    def start(ways: Ways) -> Iterator[Runtime]:
        running, _ = server
        with proxying(port, running.port, ways, certificate), running.looking_in() as rt:
            public = replace(rt.settings, public_url=f"https://127.0.0.1:{port}", proxies=1)
            yield replace(rt, settings=public)

    return start


def of_proxies(found: list[Finding]) -> Finding:
    return next(one for one in found if one.subject == "proxy headers")


def test_behind_one_good_proxy_all_is_well(behind: Behind) -> None:
    with behind(Ways()) as rt:
        found = [*self_test.examine(rt), *hooks.examine(rt, sign)]
    assert [one.level for one in found] == [Level.OK] * 7, found


def test_a_proxy_that_hands_on_what_callers_claim_is_told_with_the_number_to_set(
    behind: Behind,
) -> None:
    with behind(Ways(forwarded=str)) as rt:
        told = of_proxies(list(self_test.examine(rt)))
    assert told.level is Level.MEND
    assert "OPTOUT_PROXIES is 1, and 1 too many: set it to 0" in told.detail


def test_a_service_that_notes_its_proxy_in_everybodys_place_is_told(behind: Behind) -> None:
    with behind(Ways(forwarded=lambda _: "")) as rt:
        told = of_proxies(list(self_test.examine(rt)))
    assert told.level is Level.MEND
    assert "notes 127.0.0.2, which is a proxy's" in told.detail


def test_an_address_that_was_translated_on_the_way_is_left_to_the_reader(behind: Behind) -> None:
    with behind(Ways(forwarded=lambda given: f"{given}, 198.51.100.7")) as rt:
        told = of_proxies(list(self_test.examine(rt)))
    assert (told.level, "notes 198.51.100.7" in told.detail) == (Level.ADVICE, True)


@pytest.mark.parametrize(("counted", "place"), [(3, 1), (4, 2), (16, 14)])
def test_how_many_proxies_too_many_are_counted_is_told(counted: int, place: int) -> None:
    """What stands behind two proxies, that many places from the end."""
    chain_of_two = f"{front.INVENTED}, 127.0.0.1, 10.0.0.1".split(", ")
    told = front.proxies(counted, "127.0.0.1", chain_of_two[-counted])
    assert f"{place} too many: set it to 2" in told.detail


def test_an_address_with_a_port_behind_it_is_no_reason_to_fail() -> None:
    assert front.proxies(1, "192.0.2.1", "192.0.2.1:4711").level is Level.ADVICE


@pytest.mark.parametrize("said", ["", "max-age=0", "includeSubDomains", "max-age=0; preload"])
def test_without_hsts_it_is_advised(behind: Behind, said: str) -> None:
    with behind(Ways(https_only=said)) as rt:
        found = {one.subject: one for one in self_test.examine(rt)}
    assert found["https"].level is Level.ADVICE
    assert "Strict-Transport-Security" in found["https"].detail


def test_of_clear_text_on_this_machine_no_https_is_asked() -> None:
    answer = front.Answer(200, "", "127.0.0.1")
    told = list(front.examine(Settings(public_url="http://127.0.0.1:1"), answer, "127.0.0.1"))
    assert [one.subject for one in told] == ["proxy headers"]


@pytest.mark.parametrize(
    ("ways", "why"),
    [
        (Ways(target=lambda path: quote(unquote(path), "/:?=&~")), "byte for byte"),
        (Ways(target=lambda path: path.partition("?")[0]), "byte for byte"),
        (Ways(answers=403), "refused (403)"),
        (Ways(answers=301), "answered with 301"),
        (Ways(answers=502), "answered with 502"),
    ],
    ids=["decoded", "no query", "a firewall", "redirected", "away"],
)
def test_a_proxy_that_breaks_a_providers_signature_is_told(
    behind: Behind, ways: Ways, why: str
) -> None:
    with behind(ways) as rt:
        (told,) = hooks.examine(rt, sign)
    assert (told.subject, told.level) == (f"hook of {stage.ACCOUNT}", Level.MEND)
    assert why in told.detail
    assert stage.TOKEN not in told.detail


def test_the_hook_that_it_signs_leaves_nothing_behind(
    behind: Behind, server: tuple[Server, Cast]
) -> None:
    _, cast = server
    with behind(Ways()) as rt:
        assert [one.level for one in hooks.examine(rt, sign)] == [Level.OK]
        with rt.reading() as connection:
            assert chain.position(connection, cast.acme).seq == 0
