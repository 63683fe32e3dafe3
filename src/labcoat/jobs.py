"""What the clock does: the tick finds what is due, the delivery loop tells it; both may run twice or late."""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from apscheduler.schedulers.background import BackgroundScheduler

from labcoat.db import clock, deliveries, dossiers, people
from labcoat.db.database import Database
from labcoat.db.dossiers import Changed
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.person import Person
from labcoat.slack.delivery import Delivery
from labcoat.usecases import digests, looks, measuring, nudges, requests
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile

_log = logging.getLogger(__name__)

ItemT = TypeVar("ItemT")

TICK_SECONDS = 15
DELIVERY_POLL_SECONDS = 1.0
DELIVERY_BREATH_SECONDS = 0.05
"""Between two notices, so that a long outbox leaves the interpreter to people who click; Slack wants it slower yet."""
PEOPLE_ASKED_ABOUT_EVERY = timedelta(days=1)
REPLAYS_REMEMBERED = timedelta(minutes=10)
"""Twice the age that a signature may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The jobs of one process. describe: asks Slack who a person is, None if it cannot tell now."""

    database: Database
    delivery: Delivery
    metrics: MetricsFile | None
    workspace: WorkspaceId
    zone: str
    describe: Callable[[UserId], Person | None]
    _ticking: threading.Lock = field(default_factory=threading.Lock)

    def tick(self) -> None:
        """Do everything that is due now. A job that fails is logged and tried again at the next tick."""
        with self._ticking:
            with self.database.reading() as tx:
                now = clock.business_now(tx)
            jobs = (
                self.learn_people,
                self.expire_requests,
                self.pass_requests_on,
                self.make_looks,
                self.send_digests,
                self.send_nudges,
            )
            for job in jobs:
                try:
                    job(now)
                except Exception:
                    _log.exception("%s failed; it is tried again at the next tick", job.__name__)
            with self.database.writing() as tx:
                deliveries.forget(tx, before=clock.machine_now() - REPLAYS_REMEMBERED)

    def learn_people(self, now: datetime) -> None:  # noqa: ARG002
        """Ask Slack who new people are, and once a day whether the others still are who they were."""
        with self.database.reading() as tx:
            unchecked = people.unchecked(tx, self.workspace, before=clock.machine_now() - PEOPLE_ASKED_ABOUT_EVERY)
        self._each(unchecked, self._learn_person)

    def _learn_person(self, user: UserId) -> None:
        person = self.describe(user)
        if person is not None:
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
        except Changed:
            return  # someone answered just now

    def pass_requests_on(self, now: datetime) -> None:
        """Send requests that wait for somebody who is not there to who else may answer."""
        with self.database.reading() as tx:
            stuck = requests.stuck(tx, self.workspace, now=now)
        self._each(stuck, lambda dossier: self._pass_on(dossier, now))

    def _pass_on(self, dossier: Dossier, now: datetime) -> None:
        with self.database.writing() as tx:
            requests.pass_on(tx, dossier, now=now)

    def make_looks(self, now: datetime) -> None:
        """Make the looks that are due; the warehouse and the statistics run with no transaction open."""
        with self.database.reading() as tx:
            due = looks.due(tx, now=now)
        self._each(due, lambda look: self._make_look(look, now))

    def _make_look(self, look: looks.DueLook, now: datetime) -> None:
        if looks.is_finished(look):
            with self.database.writing() as tx:
                looks.finish(tx, look)
            return
        try:
            sample = measuring.measure(look, self.metrics)
        except SourceError as error:
            with self.database.writing() as tx:
                looks.record_problem(tx, look, str(error), is_permanent=error.permanent, now=now)
            return
        answer = looks.answer(look, sample)
        with self.database.writing() as tx:
            looks.record(tx, look, sample, answer, now=now)

    def send_digests(self, now: datetime) -> None:
        """Send the weekly digests that are due."""
        with self.database.reading() as tx:
            channels = dossiers.channels_with_hypotheses(tx)
            due = [one for one in channels if digests.is_due(tx, *one, zone=self.zone, now=now)]
        self._each(due, lambda channel: self._send_digest(*channel))

    def _send_digest(self, workspace: WorkspaceId, channel: ChannelId) -> None:
        with self.database.writing() as tx:
            # Read again here: what was closed since the tick began is in this digest, and must not be in the next too.
            digests.send_due(tx, workspace, channel, zone=self.zone, now=clock.business_now(tx))

    def send_nudges(self, now: datetime) -> None:
        """Send the nudges that are due."""
        with self.database.reading() as tx:
            due = nudges.due(tx, zone=self.zone, now=now)
        for workspace, mine in due.items():
            with self.database.writing() as tx:
                nudges.send(tx, workspace, mine, now=now)

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


class Running:
    """The tick and the delivery loop in the background, until `stop`."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._bell = threading.Event()
        self._is_stopping = threading.Event()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        # A tick that comes late must still come, and of several missed ones one is enough.
        self._scheduler.add_job(
            self._tick, "interval", seconds=TICK_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._deliverer = threading.Thread(target=self._deliver, name="delivery", daemon=True)

    def start(self) -> None:
        """Start ticking and delivering."""
        self._jobs.database.on_notices = self._bell.set
        self._scheduler.start()
        self._deliverer.start()

    def stop(self) -> None:
        """Stop after what is being done now."""
        self._is_stopping.set()
        self._bell.set()
        self._scheduler.shutdown(wait=True)
        self._deliverer.join(timeout=30)

    def _tick(self) -> None:
        try:
            self._jobs.tick()
        except Exception:
            _log.exception("the tick failed; the next one tries again")

    def _deliver(self) -> None:
        while not self._is_stopping.is_set():
            self._bell.clear()
            try:
                while not self._is_stopping.is_set() and self._jobs.deliver_one():
                    self._is_stopping.wait(DELIVERY_BREATH_SECONDS)
            except Exception:
                _log.exception("delivery failed; its lease ends and it is tried again")
            self._bell.wait(DELIVERY_POLL_SECONDS)
