"""AWS End User Messaging by way of Amazon SNS: whose signature it is, and what it then says."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography import x509

from optout_service.core.errors import BadSignature, Malformed
from optout_service.core.keyword import Intent
from optout_service.providers import aws, sns, sns_host
from optout_service.providers.hooks import SNS_HOST
from optout_service.providers.inbound import Delivery, Inbound, Meaning, Status
from optout_service.providers.sns_host import SnsHost
from optout_service.runtime import Runtime
from tests import payloads
from tests.cast import ANA
from tests.providers import amazon
from tests.providers.playing import events, suppressed
from tests.providers.security import Aws, Sent
from tests.providers.test_security import OURS, Hook
from tests.stage import Cast

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
THEN = datetime(2022, 7, 28, 21, 30, tzinfo=UTC)
HOST = "sns.us-west-2.amazonaws.com"
SUBSCRIPTION = json.loads(payloads.load("aws/subscription.json"))


class Topic(Hook):
    """Acme's topic, and Amazon's side of it."""

    def __init__(self, rt: Runtime, cast: Cast) -> None:
        super().__init__(rt, cast, Aws())
        self.amazon = amazon.Host()
        self.answered_by(self.amazon)

    def answered_by(self, host: amazon.Host) -> None:
        """From now on, and no certificate is remembered."""
        self.amazon = host
        self.client.application.extensions[SNS_HOST] = SnsHost(host.fetch)

    def about(self, kind: str, **changes: Any) -> Sent:
        return self.signed(amazon.envelope("", at=self.rt.now(), kind=kind, **changes))

    def published(self, message: str) -> Sent:
        return self.signed(amazon.envelope(message, at=self.rt.now()))


@pytest.fixture
def topic(rt: Runtime, cast: Cast) -> Topic:
    return Topic(rt, cast)


def told(message: Any, **changes: Any) -> Delivery:
    """What an envelope around a message tells."""
    made = sns.parse(amazon.envelope(json.dumps(message), at=NOW, **changes))
    return aws.parse(made, NOW, SnsHost())


def inbound(**changes: Any) -> Inbound:
    made = told(json.loads(payloads.load("aws/inbound.json")) | changes)
    assert isinstance(made, Inbound)
    return made


def status(**changes: Any) -> Status:
    made = told(json.loads(payloads.load("aws/event.json")) | changes)
    assert isinstance(made, Status)
    return made


# Signed by Amazon's own key, as the AWS SDK for Ruby publishes them among its tests.
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_published_signature_holds(version: str) -> None:
    body = payloads.load(f"aws/published_v{version}.json")
    pem = payloads.load("aws/published_certificate.pem")
    made = sns.parse(body)
    sns.verify(made, SnsHost(amazon.Host(pem).fetch).key(made, THEN))
    for part in (b"Hello", b"792cda85-518f", b"17dea24b-55c2", b"2022-07-28", b"publish-and"):
        if (changed := body.replace(part, b"x" * len(part))) != body:
            with pytest.raises(BadSignature):
                sns.verify(sns.parse(changed), SnsHost(amazon.Host(pem).fetch).key(made, THEN))


def test_a_subject_is_signed_where_there_is_one() -> None:
    with_one = sns.parse(amazon.envelope("m", at=NOW, Subject="s"))
    assert b"Subject\ns\n" in sns.signed_bytes(with_one)
    for absent in ({}, {"Subject": None}):
        assert b"Subject" not in sns.signed_bytes(sns.parse(amazon.envelope("m", at=NOW, **absent)))


GOOD = f"https://{HOST}/SimpleNotificationService-{'0f' * 16}.pem"


@pytest.mark.parametrize(
    "url",
    [
        GOOD.replace("https", "http"),
        GOOD.replace(HOST, "evil.example"),
        GOOD.replace(HOST, f"{HOST}.evil.example"),
        GOOD.replace(HOST, f"{HOST}@evil.example"),
        GOOD.replace(HOST, f"evil.example#{HOST}"),
        GOOD.replace(HOST, f"{HOST}:8443"),
        GOOD.replace(HOST, "sns.us-east-1.amazonaws.com"),
        GOOD.replace(HOST, "s3.us-west-2.amazonaws.com"),
        GOOD.replace(HOST, HOST.upper()),
        GOOD.replace(HOST, "127.0.0.1"),
        GOOD.replace(HOST, "169.254.169.254"),
        GOOD.replace("/Simple", "/a/../Simple"),
        GOOD.replace(".pem", ".pem?x=1"),
        GOOD.replace(".pem", ".pem#"),
        GOOD.replace(".pem", ".key"),
        f"{GOOD}\n",
        f" {GOOD}",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_certificate_is_fetched_from_the_topics_own_host_and_nowhere_else(url: str) -> None:
    assert sns.is_certificate_of(GOOD, HOST)
    host = amazon.Host()
    made = sns.parse(amazon.envelope("m", at=NOW, SigningCertURL=url))
    with pytest.raises(BadSignature):
        SnsHost(host.fetch).key(made, NOW)
    assert host.asked == []


@pytest.mark.parametrize(
    ("topic_arn", "host"),
    [
        ("arn:aws:sns:eu-central-1:123456789012:t", "sns.eu-central-1.amazonaws.com"),
        ("arn:aws-us-gov:sns:us-gov-west-1:123456789012:t", "sns.us-gov-west-1.amazonaws.com"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:t", "sns.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_host_is_that_of_the_topics_region(topic_arn: str, host: str) -> None:
    assert sns.host_of(topic_arn) == host


@pytest.mark.parametrize("odd", ["", "arn:aws:sns:x@evil:1:t", "arn:aws:sns:a.b-1:123456789012:t"])
def test_what_is_no_topic_has_no_host(odd: str) -> None:
    with pytest.raises(BadSignature):
        sns.host_of(odd)


@pytest.mark.parametrize(
    "made",
    [
        {"name": "evil.example"},
        {"name": "sns.amazonaws.com.evil.example"},
        {"name": "xsns.amazonaws.com"},
        {"since": -30, "until": -1},
        {"since": 1, "until": 30},
    ],
)
def test_a_certificate_that_is_not_snss_or_not_valid_is_refused(made: dict[str, Any]) -> None:
    good, bad = (x509.load_pem_x509_certificate(amazon.certificate(**m)) for m in ({}, made))
    now = datetime.now(UTC)
    assert sns.check_certificate(good, now)
    with pytest.raises(BadSignature):
        sns.check_certificate(bad, now)


def test_a_signature_of_another_version_is_refused() -> None:
    made = sns.parse(amazon.envelope("m", at=NOW, SignatureVersion="3"))
    with pytest.raises(BadSignature):
        sns.verify(made, amazon.key().public_key())


def test_the_right_password_beside_a_strangers_signature_is_refused(topic: Topic) -> None:
    body = amazon.envelope(payloads.load("aws/inbound.json").decode(), at=topic.rt.now())
    password = amazon.password(topic.player.token(OURS))
    for signed in (amazon.signed(body, own=False), body):
        sent = Sent("/hooks/aws/messages", signed, "text/plain", password)
        assert sent.post(topic.client).status_code == 403
    assert events(topic.rt) == 0


def test_without_the_password_nothing_is_fetched(topic: Topic) -> None:
    sent = topic.made()
    assert topic.made(secret="of-nobody").post(topic.client).status_code == 403
    asked = sent.less("Authorization").post(topic.client)
    assert asked.status_code == 401
    assert asked.headers["WWW-Authenticate"].startswith("Basic ")
    assert topic.amazon.asked == []
    # SNS asks so before each delivery: it is no attack.
    assert topic.counting.refused == [("aws", "signature")]


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic b3Vycw==", "Bearer {}", "Digest username=x", "Basic w6nDqQ"],
)
def test_an_odd_authorization_is_refused(topic: Topic, header: str) -> None:
    good = topic.made()
    written = header.format(good.proof["Authorization"].partition(" ")[2])
    answer = topic.client.post(
        good.path,
        data=good.body,
        content_type=good.content_type,
        headers={"Authorization": written},
    )
    assert answer.status_code == 403


def test_a_certificate_is_fetched_once(topic: Topic) -> None:
    for number in range(3):
        assert topic.post(message=f"m-{number}").status_code == 200
    assert topic.amazon.asked == [amazon.CERTIFICATE_URL]


def test_a_certificate_that_could_not_be_fetched_lets_the_message_come_again(
    topic: Topic, cast: Cast
) -> None:
    sent = topic.made()
    for host in (amazon.Host(down=True), amazon.Host(b"<html>")):
        topic.answered_by(host)
        assert sent.post(topic.client).status_code == 503
    assert events(topic.rt) == 0
    topic.answered_by(amazon.Host())
    assert sent.post(topic.client).status_code == 200
    assert suppressed(topic.rt, cast.acme)


def test_a_certificate_that_has_run_out_meanwhile_is_not_taken_any_more() -> None:
    host = SnsHost(amazon.Host(payloads.load("aws/published_certificate.pem")).fetch)
    made = sns.parse(payloads.load("aws/published_v2.json"))
    assert host.key(made, THEN)
    with pytest.raises(BadSignature):
        host.key(made, THEN + timedelta(days=365))


def test_the_certificates_that_are_kept_are_few() -> None:
    host = amazon.Host()
    kept = SnsHost(host.fetch)
    now = datetime.now(UTC)
    urls = [GOOD.replace("0f", f"{n:02x}") for n in range(sns_host.MOST_CERTIFICATES + 1)]
    for url in (*urls, urls[-1]):
        kept.key(sns.parse(amazon.envelope("m", at=now, SigningCertURL=url)), now)
    assert host.asked == urls


def test_both_versions_of_the_signature_are_taken(topic: Topic, cast: Cast) -> None:
    for version in ("1", "2"):
        sent = topic.made(message=f"m-{version}", SignatureVersion=version)
        assert sent.post(topic.client).status_code == 200
    assert events(topic.rt) == 2


def test_a_subscription_to_a_registered_topic_is_confirmed(topic: Topic) -> None:
    evil = topic.about("subscription", SubscribeURL="https://evil.example/")
    assert evil.post(topic.client).status_code == 200
    fetched, confirmed = topic.amazon.asked
    assert fetched == amazon.CERTIFICATE_URL
    expected = SUBSCRIPTION["SubscribeURL"].replace(amazon.TOPIC, amazon.TOPIC.replace(":", "%3A"))
    assert confirmed == expected
    assert events(topic.rt) == 0


def test_a_subscription_that_could_not_be_confirmed_comes_again(topic: Topic) -> None:
    assert topic.post().status_code == 200  # its certificate is known now
    topic.amazon.down = True
    assert topic.about("subscription").post(topic.client).status_code == 503


@pytest.mark.parametrize(
    "changes",
    [{"TopicArn": "arn:aws:sns:us-west-2:999999999999:strangers"}, {"Token": ""}, {"Token": "a&b"}],
)
def test_no_other_subscription_is_confirmed(topic: Topic, changes: dict[str, str]) -> None:
    answer = topic.about("subscription", **changes).post(topic.client)
    assert answer.status_code in (400, 403)
    assert set(topic.amazon.asked) <= {amazon.CERTIFICATE_URL}


def test_the_end_of_a_subscription_is_said_aloud_and_not_undone(
    topic: Topic, caplog: pytest.LogCaptureFixture
) -> None:
    assert topic.about("unsubscribe").post(topic.client).status_code == 200
    assert "a subscription has ended" in caplog.messages
    assert topic.amazon.asked == [amazon.CERTIFICATE_URL]
    assert not any("2336412f" in message for message in caplog.messages)


def test_a_persons_message() -> None:
    assert inbound() == Inbound(
        provider="aws",
        account=amazon.TOPIC,
        message_id="cae173d2-66b9-564c-8309-21f858e9fb84",
        channel="sms",
        person=ANA.phone,
        to="+12125550101",
        service="",
        text="Please stop texting me",
        occurred_at=NOW,
        answerable=False,
    )


@pytest.mark.parametrize("word", ["ARRET", "stop", "OPT-OUT", " Td "])
def test_what_aws_has_put_on_its_list_is_an_opt_out_whatever_follows(word: str) -> None:
    found = inbound(messageKeyword=word, messageBody=f"{word} by the shop")
    assert found.matched is Intent.OPT_OUT


@pytest.mark.parametrize("word", ["START", "HELP", "JOIN", "KEYWORD_1", "", None, 7])
def test_what_another_keyword_does_is_not_known(word: Any) -> None:
    assert inbound(messageKeyword=word).matched is None


def test_a_message_to_an_agent_came_by_rcs() -> None:
    assert inbound(destinationNumber="rcs-1a2b3c").channel == "rcs"


def test_a_message_without_an_id_of_its_own_has_that_of_its_envelope() -> None:
    recorded = json.loads(payloads.load("aws/notification.json"))
    assert inbound(inboundMessageId="").message_id == recorded["MessageId"]


@pytest.mark.parametrize("changes", [{"originationNumber": ""}, {"inboundMessageId": "x" * 201}])
def test_a_message_that_lacks_what_none_lacks_is_malformed(changes: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        inbound(**changes)


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("TEXT_BLOCKED", Meaning.BLOCKED),
        ("MEDIA_BLOCKED", Meaning.BLOCKED),
        ("TEXT_CARRIER_BLOCKED", Meaning.ALERT),
        ("TEXT_SPAM", Meaning.ALERT),
        ("TEXT_INVALID", Meaning.UNREACHABLE),
        ("TEXT_UNREACHABLE", Meaning.UNREACHABLE),
        ("TEXT_DELIVERED", Meaning.NOTHING),
    ],
)
def test_the_end_of_one_of_ours(kind: str, meaning: Meaning) -> None:
    assert status(eventType=kind).meaning is meaning


def test_a_block_is_recorded_once(topic: Topic, cast: Cast) -> None:
    sent = topic.published(payloads.load("aws/event.json").decode())
    for _ in range(2):
        assert sent.post(topic.client).status_code == 200
    assert suppressed(topic.rt, cast.acme)
    assert events(topic.rt) == 1


@pytest.mark.parametrize("message", ["", "Hello world", "[]", "{}", '{"eventType": "VOICE_ENDED"}'])
def test_what_else_is_published_to_the_topic_concerns_nobody(message: str) -> None:
    made = sns.parse(amazon.envelope(message, at=NOW))
    assert aws.parse(made, NOW, SnsHost()) is None


class Answering(BaseHTTPRequestHandler):
    """A host on the loopback: /certificate is one, /moved leads to it, /long has no end."""

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/certificate")
        self.end_headers()
        self.wfile.write(b"x" * (sns_host.MOST_BYTES + 1 if self.path == "/long" else 9))

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def loopback() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_redirect_is_followed_and_no_long_body_is_read(loopback: str) -> None:
    assert sns_host.fetched(f"{loopback}/certificate") == b"x" * 9
    for path in ("/moved", "/long"):
        with pytest.raises(OSError):  # noqa: PT011 - HTTPError is one, too
            sns_host.fetched(f"{loopback}{path}")
