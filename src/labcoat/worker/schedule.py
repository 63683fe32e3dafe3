"""What the clock does: the tick finds what is due, the delivery loop tells it; both may run twice or late."""

import logging
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from labcoat.db import clock, people, unit_counts
from labcoat.db.database import Database
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ChannelId, ExperimentNumber, UserId, WorkspaceId
from labcoat.domain.late_data import Wait
from labcoat.domain.person import Person
from labcoat.observability import telemetry
from labcoat.slack.outgoing.delivery import Delivery
from labcoat.usecases.hypotheses import requests
from labcoat.usecases.looks import counting, live_drafts, looks, measuring, waiting
from labcoat.usecases.people import digests, nudges
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.exposure_scan import Arm
from labcoat.warehouse.metrics_file import MetricsFile
from labcoat.warehouse.reading import Reading
from labcoat.worker import baselines, housekeeping
from labcoat.worker.file_worker import FileWork

_log = logging.getLogger(__name__)

ItemT = TypeVar("ItemT")
FoundT = TypeVar("FoundT", Reading | SourceError, tuple[Arm, ...])
DueT = TypeVar("DueT", looks.DueLook, counting.DueCount, live_drafts.DueDraft)

_BROKEN = SourceError("Its numbers could not be read, and it isn't clear why. It is in Labcoat's log.", permanent=False)
PEOPLE_ASKED_ABOUT_EVERY = timedelta(days=1)
READING_LEASE = timedelta(minutes=15)
"""How long a process that died keeps others from reading an experiment's numbers."""
DIGESTS_TOGETHER = 50
"""Channels of a workspace in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The jobs of one process.

    describe: asks Slack who a person is, None if it cannot tell now. count_every: between counts of units; None: never.
    keep_sent: how long what was delivered is remembered; None: for ever.
    """

    database: Database
    delivery: Delivery
    files: FileWork
    metrics: MetricsFile | None
    workspace: WorkspaceId
    zone: str
    describe: Callable[[UserId], Person | None]
    count_every: timedelta | None = None
    keep_sent: timedelta | None = None
    _ticking: threading.Lock = field(default_factory=threading.Lock)
    _reading: defaultdict[str | None, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _working: threading.Lock = field(default_factory=threading.Lock)
    _asking: threading.Lock = field(default_factory=threading.Lock)

    def tick(self) -> None:
        """Do everything that is due now, the warehouse's part first: a digest tells what it finds."""
        for source in self.sources:
            self.read_source(source)
        self.measure_baselines()
        self.work_on_files()
        self.ask_about_people()
        self.keep_time()

    @property
    def sources(self) -> tuple[str | None, ...]:
        """What is read apart, so that none waits for another that hangs. None: experiments that read several."""
        return (*(self.metrics.sources if self.metrics else ()), None)

    def read_source(self, source: str | None) -> None:
        """Do what asks a source, which may take minutes; it keeps neither clicks nor the clock waiting."""
        with self._reading[source]:
            self._run((self.make_looks, self.count_units, self.notice_live_drafts), source)

    def measure_baselines(self) -> None:
        """Measure what metrics were lately, for plans; it may take long, and keeps no look waiting."""
        self._run((self._measure_baselines,))

    def _measure_baselines(self, now: datetime) -> None:
        if self.count_every is not None and self.metrics is not None:
            baselines.measure_all(self.database, self.workspace, self.metrics, zone=self.zone, now=now)

    def work_on_files(self) -> None:
        """Read what people gave, and make what they asked for."""
        with self._working:
            self._run((self._do_file_jobs,))

    def _do_file_jobs(self, now: datetime) -> None:
        while self.files.do_next(now=now):
            with self.database.reading() as tx:
                now = clock.business_now(tx)

    def ask_about_people(self) -> None:
        """Ask Slack about people, which keeps nothing else waiting when Slack is slow."""
        with self._asking:
            self._run((self.learn_people,))

    def keep_time(self) -> None:
        """Do what the calendar asks for."""
        with self._ticking:
            self._run(
                (self.expire_requests, self.pass_requests_on, self.send_digests, self.send_nudges, self.forget_old)
            )

    def _run(self, jobs: Iterable[Callable[..., None]], *source: str | None) -> None:
        """Run jobs; one that fails is logged and tried again at the next tick."""
        with self.database.reading() as tx:
            now = clock.business_now(tx)
        for job in jobs:
            name = getattr(job, "__name__", str(job))
            try:
                with telemetry.timed(name):
                    job(now, *source)
            except Exception:
                telemetry.failed(name)
                _log.exception("%s failed; it is tried again at the next tick", name)

    def forget_old(self, now: datetime) -> None:  # noqa: ARG002
        """Forget what nobody asks for again; some at each tick."""
        housekeeping.forget(self.database, keep_sent=self.keep_sent)

    def learn_people(self, now: datetime) -> None:  # noqa: ARG002
        """Ask Slack who new people are, and once a day whether the others still are who they were."""
        with self.database.reading() as tx:
            unchecked = people.unchecked(tx, self.workspace, before=clock.machine_now() - PEOPLE_ASKED_ABOUT_EVERY)
        # In any order, so that one of whom Slack can't tell does not keep the same others waiting.
        for user in random.sample(unchecked, len(unchecked)):
            person = self.describe(user)
            if person is None:
                return
            with self.database.writing() as tx:
                people.know(tx, self.workspace, person, at=clock.machine_now())

    def expire_requests(self, now: datetime) -> None:
        """Let requests expire that nobody answered."""
        with self.database.reading() as tx:
            expired = requests.expired(tx, now=now)
        self._each(expired, lambda dossier: self._expire(dossier, now))

    def _expire(self, dossier: Dossier, now: datetime) -> None:
        try:
            with self.database.writing() as tx:
                requests.expire(tx, dossier, now=now)
        except ChangedMeanwhileError:
            return  # someone answered just now

    def pass_requests_on(self, now: datetime) -> None:
        """Send requests that wait for somebody who is not there to who else may answer."""
        with self.database.reading() as tx:
            stuck = requests.stuck(tx, self.workspace, now=now)
        self._each(stuck, lambda dossier: self._pass_on(dossier, now))

    def _pass_on(self, dossier: Dossier, now: datetime) -> None:
        with self.database.writing() as tx:
            requests.pass_on(tx, dossier, now=now)

    def make_looks(self, now: datetime, source: str | None) -> None:
        """Make the looks that are due; the warehouse and the statistics run with no transaction open."""
        with self.database.reading() as tx:
            due = self._of(source, looks.due(tx, now=now))
        finished = [look for look in due if looks.is_finished(look)]
        self._each(finished, self._finish)
        self._reading_each([look for look in due if look not in finished], looks.due, self._make, now)

    def _of(self, source: str | None, due: Iterable[DueT]) -> list[DueT]:
        return [one for one in due if measuring.source_of(one.experiment, self.metrics) == source]

    def _make(self, mine: Sequence[looks.DueLook], now: datetime) -> None:
        due = waiting.sort_out(mine, self.metrics, now=now)
        found = self._apart(measuring.measure, due.ready, broken=_BROKEN)
        self._each((*due.others, *zip(due.ready, found, strict=True)), lambda one: self._look(*one, now))

    def _apart(
        self,
        read: Callable[[Sequence[DueT], MetricsFile | None], list[FoundT]],
        mine: Sequence[DueT],
        *,
        broken: FoundT,
    ) -> list[FoundT]:
        """Read all together; what a bug ends is read in halves, so that one experiment's keeps no other waiting."""
        try:
            return read(mine, self.metrics)
        except Exception:
            if len(mine) == 1:
                _log.exception("reading E-%s failed", mine[0].experiment.number)
                return [broken]
        return [one for half in _parts(mine, -(-len(mine) // 2)) for one in self._apart(read, half, broken=broken)]

    def _reading_each(
        self,
        due: Sequence[DueT],
        find: Callable[..., Sequence[DueT]],
        read: Callable[[Sequence[DueT], datetime], None],
        now: datetime,
    ) -> None:
        """Read what is due and no other process reads; once it is held, only what another did not just read."""
        held = [one for one in due if self._hold(one.workspace, one.experiment.number)]
        try:
            with self.database.reading() as tx:
                still = {(one.workspace, one.experiment.number) for one in find(tx, now=now)} if held else set()
            read([one for one in held if (one.workspace, one.experiment.number) in still], now)
        finally:
            self._each(held, lambda one: self._let_go(one.workspace, one.experiment.number))

    def _finish(self, look: looks.DueLook) -> None:
        with self.database.writing() as tx:
            looks.finish(tx, look)

    def _look(self, look: looks.DueLook, found: Reading | SourceError | Wait | None, now: datetime) -> None:
        if isinstance(found, Reading | SourceError):
            telemetry.read("look", is_problem=isinstance(found, SourceError))
        answer = looks.answer(look, found.sample) if isinstance(found, Reading) else None
        with self.database.writing() as tx:
            looks.settle(tx, look, found, answer, now=now)

    def count_units(self, now: datetime, source: str | None) -> None:
        """Count units between looks, so that an uneven split is told within the hour."""
        if self.count_every is None or self.metrics is None:
            return
        with self.database.reading() as tx:
            due = self._of(source, counting.due(tx, now=now))
        self._reading_each(due, counting.due, self._count_all, now)

    def _count_all(self, mine: Sequence[counting.DueCount], now: datetime) -> None:
        found = self._apart(measuring.count, mine, broken=_BROKEN)
        self._each(zip(mine, found, strict=True), lambda one: self._count(*one, now))

    def _count(self, due: counting.DueCount, found: Reading | SourceError, now: datetime) -> None:
        every = self.count_every
        assert every is not None
        telemetry.read("count", is_problem=isinstance(found, SourceError))
        with self.database.writing() as tx:
            if isinstance(found, SourceError):
                counting.record_problem(tx, due, found.message, every=every, is_permanent=found.permanent, now=now)
            else:
                counting.record(tx, due, found.sample.exposed, every=every, now=now)

    def notice_live_drafts(self, now: datetime, source: str | None) -> None:
        """Tell whose draft has exposures: somebody switched it on, and nobody started it here."""
        if self.count_every is None or self.metrics is None:
            return
        with self.database.reading() as tx:
            due = self._of(source, live_drafts.due(tx, now=now))
        self._reading_each(due, live_drafts.due, self._notice_all, now)

    def _notice_all(self, mine: Sequence[live_drafts.DueDraft], now: datetime) -> None:
        found = self._apart(measuring.arrivals, mine, broken=())
        self._each(zip(mine, found, strict=True), lambda one: self._notice(*one, now))

    def _notice(self, draft: live_drafts.DueDraft, arms: Sequence[Arm], now: datetime) -> None:
        assert self.count_every is not None
        with self.database.writing() as tx:
            live_drafts.record(tx, draft, arms, every=self.count_every, now=now)

    def _hold(self, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
        with self.database.writing() as tx:
            at = clock.lease_now(tx)
            return unit_counts.claim(tx, workspace, number, at=at, until=at + READING_LEASE)

    def _let_go(self, workspace: WorkspaceId, number: ExperimentNumber) -> None:
        with self.database.writing() as tx:
            unit_counts.release(tx, workspace, number)

    def send_digests(self, now: datetime) -> None:
        """Send the weekly digests that are due, some channels of a workspace at once."""
        with self.database.reading() as tx:
            due = digests.due(tx, zone=self.zone, now=now)
        parts = [(workspace, part) for workspace, mine in due.items() for part in _parts(mine, DIGESTS_TOGETHER)]
        # In an order of its own, so that replicas seldom meet at the same workspace.
        self._each(random.sample(parts, len(parts)), lambda part: self._send_digests(*part))

    def _send_digests(self, workspace: WorkspaceId, channels: Sequence[ChannelId]) -> None:
        try:
            with self.database.writing() as tx:
                # The time is read again: what was closed since the tick began is in these, and not in the next too.
                digests.send_due(tx, workspace, channels, zone=self.zone, now=clock.business_now(tx))
        except Exception:
            if len(channels) == 1:
                raise
            # One by one, so that a channel whose digest cannot be composed keeps none of the others waiting.
            self._each(channels, lambda channel: self._send_digests(workspace, [channel]))

    def send_nudges(self, now: datetime) -> None:
        """Send the nudges that are due."""
        with self.database.reading() as tx:
            due = nudges.workspaces_due(tx, now=now)
        self._each(due, lambda workspace: self._nudge(workspace, now))

    def _nudge(self, workspace: WorkspaceId, now: datetime) -> None:
        with self.database.reading() as tx:
            asked = nudges.find(tx, workspace, zone=self.zone, now=now)
        with self.database.writing() as tx:
            nudges.send(tx, workspace, asked, zone=self.zone, now=now)

    @staticmethod
    def _each(items: Iterable[ItemT], act: Callable[[ItemT], None]) -> None:
        """Do it for every item; one that fails is logged, and keeps none of the others waiting."""
        for item in items:
            try:
                act(item)
            except Exception:
                _log.exception("one item failed; it is tried again at the next tick")

    def deliver_all(self) -> int:
        """Deliver what is due in the outbox; return how many notices were tried."""
        tried = 0
        while self.deliver_one():
            tried += 1
        return tried

    def deliver_one(self) -> bool:
        """Deliver one notice; return False if none is due."""
        with self.database.reading() as tx:
            now = clock.business_now(tx)
        return self.delivery.deliver_next(now=now)

    def try_to_deliver(self) -> bool:
        """Deliver one notice as `deliver_one`; what goes wrong is logged, and the notice tried again."""
        try:
            return self.deliver_one()
        except Exception:
            _log.exception("delivery failed; its lease ends and it is tried again")
            return False


def _parts(items: Sequence[ItemT], size: int) -> Iterable[Sequence[ItemT]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def attempt(act: Callable[..., None], *arguments: str | None) -> bool:
    """Do it; return False where a bug ended it, which is logged: the next tick tries again."""
    try:
        act(*arguments)
    except Exception:
        _log.exception("%s failed; the next tick tries again", getattr(act, "__name__", act))
        return False
    return True
