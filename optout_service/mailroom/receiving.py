"""Mail that came in, recorded: by the token of a link, never by From alone.

A mail server is told that it is done only of what is stored, or has nothing to store; else it comes
again. Nobody is written back to: this service sends no mail.
"""

from functools import partial

from optout_service.core.address import Address
from optout_service.core.errors import BadToken, InvalidAddress, NotFound
from optout_service.core.evidence import Action, Authority, Evidence, Reason, Source
from optout_service.core.mail import reader
from optout_service.core.mail.told import Bounce, Complaint, Envelope, Mail, Nothing, Request, Words
from optout_service.core.scope import ANY, Kind, Purpose, Scope
from optout_service.core.token import Claim, Links
from optout_service.mailroom import filing, letters
from optout_service.mailroom.filing import PROVIDER, Done
from optout_service.runtime import Runtime


def receive(rt: Runtime, raw: bytes, envelope: Envelope) -> Done:
    """Record what a raw message asks for or reports. When this returns, it is on the disk.

    The same message again changes nothing. Raises Malformed for what is no message, and
    StoreUnavailable.
    """
    find = partial(_claim, rt.links)
    mail = reader.read(raw, envelope, find, rt.settings.mail_authserv_id)
    try:
        return _act(rt, mail)
    except NotFound:
        return filing.ignore("the link's tenant is gone")


def _act(rt: Runtime, mail: Mail) -> Done:
    match mail.told:
        case Request() as request:
            return _request(rt, mail, request)
        case Complaint() as complaint:
            return _complaint(rt, mail, complaint)
        case Bounce() as bounce:
            said = {"status": bounce.status, "diagnostic": bounce.diagnostic}
            return _report(rt, mail, bounce.claim, Reason.BOUNCED, said)
        case Words() as words:
            return letters.receive(rt, mail, words)
        case Nothing(why):
            return filing.ignore(why)


def _request(rt: Runtime, mail: Mail, told: Request) -> Done:
    claim = told.claim
    if told.found_in == "body" and letters.asks_otherwise(rt, claim.tenant, mail):
        # A link in a letter about something else lifts nothing, and stops nothing by itself.
        doubt = filing.doubt(mail, claim.tenant, claim.address, "mail:link-beside-other-words")
        return filing.review(rt, doubt, channel=claim.channel, topic=claim.topic)
    scope = Scope(claim.channel, claim.topic, Purpose.MARKETING)
    said = {"message": claim.message, "token_in": told.found_in}
    return filing.record(rt, filing.opt_out(mail, claim.tenant, claim.address, scope, said))


def _complaint(rt: Runtime, mail: Mail, told: Complaint) -> Done:
    """By the link in the message complained of. Whom the report names is not proven.

    Where only that is left, a person looks at it.
    """
    if told.claim is not None:
        said = {"feedback_type": told.feedback_type, "reporter": told.reporter}
        return _report(rt, mail, told.claim, Reason.COMPLAINT, said)
    try:
        address = Address.parse(Kind.EMAIL, told.recipient)
    except InvalidAddress:
        return filing.ignore("feedback: names nobody")
    for box in filing.boxes(rt, mail):
        rule = f"mail:complaint:{told.feedback_type}"
        filing.review(rt, filing.doubt(mail, box.tenant, address, rule))
    return Done.REVIEW


def _report(rt: Runtime, mail: Mail, claim: Claim, reason: Reason, said: dict[str, str]) -> Done:
    """A complaint or a bounce. Its scope is all marketing of the tenant on that channel.

    Who calls one message spam means the sender, and providers count complaints by sender; an
    address that is gone is gone for every topic. Transactional mail goes on: a report is not
    proven (RFC 5965, 8), and whoever was forwarded a message holds its link.
    """
    evidence = Evidence(
        tenant=claim.tenant,
        action=Action.OPT_OUT,
        address=claim.address,
        scope=Scope(claim.channel, ANY, Purpose.MARKETING),
        source=Source.MAIL,
        authority=Authority.PROVIDER,
        actor=f"provider:{PROVIDER}",
        reason=reason,
        provider_message=filing.key(mail),
        private=said | {"message": claim.message},
    )
    return filing.record(rt, evidence)


def _claim(links: Links, token: str) -> Claim | None:
    try:
        return links.read(token)
    except BadToken:
        return None
