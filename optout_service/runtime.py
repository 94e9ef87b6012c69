"""What every door needs, without Flask, so that the command line has it too.

The clock is read here and nowhere else.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Self

from sqlalchemy import Connection as Connection

from optout_service.belief import Belief
from optout_service.core.address import Address
from optout_service.core.clearance import Clearance, Clearances
from optout_service.core.covers import Regime
from optout_service.core.errors import Misconfigured, UnknownTopic
from optout_service.core.evidence import Action, Evidence
from optout_service.core.keyring import KeyRing
from optout_service.core.keyword import Reading
from optout_service.core.policy import Suppression, Verdict
from optout_service.core.scope import Channel, Scope
from optout_service.core.signing import Signatures
from optout_service.core.token import Links
from optout_service.falls import Falls
from optout_service.hands import Hands
from optout_service.keywordfiles import Readers
from optout_service.metrics import Metrics
from optout_service.settings import Settings
from optout_service.store import bulk, ledger, revisions, seal, tenants
from optout_service.store.checks import Checks, Question
from optout_service.store.db import Database, assert_durable
from optout_service.store.ledger import Outcome
from optout_service.store.limits import Limits
from optout_service.store.places import Places
from optout_service.store.quick import Tables
from optout_service.store.snapshots import Held, Snapshot

_ANYTHING: Final = Scope.parse(Channel.EMAIL)


@dataclass(frozen=True)
class Runtime:
    """Settings, keys and the store, proven to fit each other before anything is answered."""

    settings: Settings
    keys: KeyRing
    links: Links
    signatures: Signatures
    clearances: Clearances
    database: Database
    checks: Checks
    tables: Tables
    places: Places
    hands: Hands
    readers: Readers
    belief: Belief
    falls: Falls
    metrics: Metrics = field(default_factory=Metrics)
    _acts: threading.local = field(default_factory=threading.local, repr=False)

    @classmethod
    def build(cls, settings: Settings, keys: KeyRing) -> Self:
        """Open the store and prove that it is fit: schema, durability, seal.

        Raises Misconfigured (an old schema, a database that may lose writes, a file of keywords
        that cannot be read), WrongKeys, or StoreUnavailable.
        """
        url = settings.effective_database_url.reveal()
        if revisions.status(url).current is None:
            raise Misconfigured("The database has no schema yet. Run: optout db upgrade")
        runtime = cls._open(settings, keys)
        try:
            with runtime.database.writing() as connection:
                assert_durable(connection)
                seal.verify(connection, keys)
                seal.note_rings(connection, keys)
        except BaseException:
            runtime.close()
            raise
        return runtime

    @classmethod
    def set_up(cls, settings: Settings, keys: KeyRing) -> Self:
        """Bring the schema up to date, seal a new database with these keys, and ``build``.

        Safe to run again. Raises as ``build`` does.
        """
        # Here, since it brings Alembic along, which nobody else needs.
        from optout_service.store import migrating

        migrating.upgrade(settings.effective_database_url.reveal())
        runtime = cls._open(settings, keys)
        try:
            with runtime.database.writing() as connection:
                if seal.put_on(connection, keys):
                    tenants.create_platform(connection, at=runtime.now())
        finally:
            runtime.close()
        return cls.build(settings, keys)

    @classmethod
    def _open(cls, settings: Settings, keys: KeyRing) -> Self:
        readers = Readers.load(settings.keywords_dir)
        database = Database(settings.effective_database_url.reveal(), Limits.of(settings))
        checks = Checks(database.dialect)
        tables = Tables(
            settings.effective_cache_dir,
            keys,
            database.dialect,
            database.reading_one_state,
            settings.table_rows,
        )
        signatures = Signatures(keys)
        return cls(
            settings,
            keys,
            Links(keys),
            signatures,
            Clearances(signatures),
            database,
            checks,
            tables,
            Places.of(settings, database, checks, tables),
            Hands(keys, wanted=settings.scrub_hand),
            readers,
            Belief(keys, database),
            Falls(keys, database),
            cls._metrics(settings),
        )

    @staticmethod
    def _metrics(settings: Settings) -> Metrics:
        if not settings.metrics_port:
            return Metrics()
        # Here, since most commands of the command line count nothing.
        from optout_service.metrics.counted import Counted

        return Counted()

    def now(self) -> datetime:
        """The time, aware, UTC."""
        return datetime.now(UTC)

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that reads. Raises StoreUnavailable."""
        return self.database.reading()

    def reading_one_state(self) -> AbstractContextManager[Connection]:
        """A connection on which all reads see one state. Raises StoreUnavailable."""
        return self.database.reading_one_state()

    def reading_much(self, tenant: int, *, api_key: int = 0) -> AbstractContextManager[Connection]:
        """The same for a read of one tenant's that takes long, of a replica if that is up to date.

        Raises StoreUnavailable.
        """
        question = Question(tenant, _ANYTHING, api_key, self.belief.regime, self.now())
        return self.places.reading_much(question)

    @contextmanager
    def writing(self, tenant: int | None = None) -> Iterator[Connection]:
        """A connection whose transaction is on the disk when the block has ended well.

        ``tenant``: whose ledger alone the block writes, if that is so.
        """
        acts: list[tuple[Evidence, Outcome, int]] = []
        self._acts.here = acts
        with self.database.writing(tenant) as connection:
            yield connection
        # Only now are they more than an intention.
        for evidence, outcome, before in acts:
            self._count(evidence, outcome)
            if not outcome.replayed:
                self.falls.recorded(evidence.tenant, outcome.event, before)

    def record(self, connection: Connection, evidence: Evidence) -> Outcome:
        """``ledger.record`` at this time, under our keys and our cap. Raises as that does."""
        before = self.falls.height(evidence.tenant)
        outcome = ledger.record(
            connection,
            evidence,
            at=self.now(),
            keys=self.keys,
            lift_cap=self.settings.lift_cap,
        )
        vars(self._acts).setdefault("here", []).append((evidence, outcome, before))
        return outcome

    def record_many(
        self, connection: Connection, evidences: Sequence[Evidence], *, skip_repeats: bool = False
    ) -> list[Outcome]:
        """``bulk.record_many`` at this time and under our keys. Raises as that does."""
        outcomes = bulk.record_many(
            connection, evidences, at=self.now(), keys=self.keys, skip_repeats=skip_repeats
        )
        # A repeat that was left out has the number of an old event: that tells of no fall.
        acts = [(*act, 0) for act in zip(evidences, outcomes, strict=True)]
        vars(self._acts).setdefault("here", []).extend(acts)
        return outcomes

    def check(self, tenant: int, address: Address, asked: Scope, *, api_key: int = 0) -> Verdict:
        """The verdict for one address now. Raises as ``Checks.check`` does."""
        digest = self.keys.digest(address)

        def ask(regime: Regime) -> Verdict:
            question = Question(tenant, asked, api_key, regime, self.now())
            return self.database.ask_briefly(
                lambda driver: self.checks.check(driver, question, digest)
            )

        found = self.falls.answered(
            tenant,
            lambda: self.belief.proven(ask),
            lambda verdict: verdict.as_of,
        )
        self.metrics.verdicts(found.suppressed, not found.suppressed)
        return found

    def check_many(
        self, tenant: int, digests: Sequence[bytes], asked: Scope, *, api_key: int = 0
    ) -> tuple[dict[bytes, list[Suppression]], int]:
        """The suppressed among many digests, and the position all of it is true for."""

        def ask(regime: Regime) -> tuple[dict[bytes, list[Suppression]], int]:
            question = Question(tenant, asked, api_key, regime, self.now())
            return self.places.check_many(question, digests)

        found, as_of = self.falls.answered(
            tenant,
            lambda: self.belief.proven(ask),
            lambda answer: answer[1],
        )
        suppressed = sum(map(found.__contains__, digests))
        self.metrics.verdicts(suppressed, len(digests) - suppressed)
        return found, as_of

    @contextmanager
    def snapshot(self, tenant: int, asked: Scope, *, api_key: int = 0) -> Iterator[Snapshot]:
        """What stands for one question at one position, to ask about any number of digests.

        Raises as ``Checks.check`` does, now and while it is asked.
        """
        with ExitStack() as stack:

            def hold(regime: Regime) -> Held:
                stack.close()  # what was held of a state under another regime
                question = Question(tenant, asked, api_key, regime, self.now())
                return self.places.held(stack, question)

            held = self.falls.answered(
                tenant,
                lambda: self.belief.proven(hold),
                lambda held: held.as_of,
            )
            quick = self.tables.quick(held)
            if quick is not None:
                stack.close()
            yield quick or held

    def suppressed_now(self, given: Clearance, *, api_key: int = 0) -> bool | None:
        """What a check would say now of what was cleared then; None if its topic is no more.

        Raises as ``Checks.check`` does otherwise.
        """
        behind = self.keys.digests_behind(given.digest)
        try:
            found, _ = self.check_many(given.tenant, behind, given.scope, api_key=api_key)
        except UnknownTopic:
            return None
        return bool(found)

    def read_text(self, tenant: str, text: str, language: str | None = None) -> Reading:
        """What a message to a tenant, by its slug, says. ``""``: to nobody that we know."""
        return self.readers.read(tenant, text, language)

    def close(self) -> None:
        """Give the connections back, and send home whoever helps."""
        self.hands.close()
        self.places.close()
        self.database.close()

    def quarantine(self, why: str) -> None:
        """Let no check be answered, by any process, until an operator has looked.

        Opt-outs are still taken. Raises StoreUnavailable.
        """
        self.falls.quarantine(why)

    def _count(self, evidence: Evidence, outcome: Outcome) -> None:
        if outcome.replayed:
            self.metrics.replay()
        elif evidence.action is Action.OPT_OUT:
            self.metrics.opt_out(evidence.source, outcome.changed)
        else:
            self.metrics.opt_in(evidence.source, outcome.changed)
            if outcome.changed and evidence.actor != "recipient":
                self.metrics.lift(evidence.authority)
