"""A year of a team that files, stalls, ignores, snoozes, goes on vacation and leaves; prints one JSON line.

Everybody acts through the use cases on SQLite by a virtual clock; the bot does what its ticks do. Counted are the
reminders that each person gets a week, and whether any open item was forgotten: neither nudged since it moved last,
nor snoozed, nor under "stalled" in the Monday's digest.
"""

import argparse
import json
import random
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from labcoat.db import dossiers, nudging, outbox, people, workspaces
from labcoat.db.database import Database, Transaction
from labcoat.db.migrating import migrate
from labcoat.db.tables import schema
from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.hypothesis import Outcome, Statement
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.member import Member
from labcoat.domain.need import Tenfold
from labcoat.domain.notice import NoticeKind
from labcoat.domain.person import Person, Standing
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.refusal import Refusal
from labcoat.domain.request import NoExperimentReason
from labcoat.domain.stall import UNCAPPED
from labcoat.stats.rule import Design, Direction, MetricKind, Moments, Role
from labcoat.usecases import finding
from labcoat.usecases.experiments import experiments, recording
from labcoat.usecases.hypotheses import hypotheses, prototypes, requests
from labcoat.usecases.people import digests, nudge_resolution, nudges, team

TEAM, CHANNEL, ZONE = WorkspaceId("T1"), ChannelId("C1"), "Europe/Berlin"
ZONES = (ZONE, ZONE, ZONE, "America/New_York", "Asia/Kolkata")
START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRACE = timedelta(days=75)
"""By then every case has had its first nudge: 30 days, a month's list, and a full week of caps."""
PLAN = Plan(
    variants=(Variant(name="control", weight=0.5), Variant(name="treatment", weight=0.5)),
    unit="user",
    metrics=(
        PlannedMetric(
            name="orders",
            role=Role.GOAL,
            kind=MetricKind.PROPORTION,
            direction=Direction.UP,
            minimum_effect=Amount(size=0.01, is_relative=False),
            baseline=0.1,
        ),
    ),
    design=Design.CONFIDENCE_SEQUENCE,
    source=ResultSource.TYPED,
    planned_days=21,
    zone=ZONE,
)


@dataclass(slots=True)
class Figures:
    """What a year was like. nudged: how many messages a person got in a week; capped: those that the caps count."""

    nudged: Counter[tuple[UserId, date]] = field(default_factory=Counter)
    capped: Counter[tuple[UserId, date]] = field(default_factory=Counter)
    person_weeks: int = 0
    filed: int = 0
    by_case: Counter[str] = field(default_factory=Counter)
    asked_about: int = 0
    forgotten: list[tuple[date, HypothesisNumber]] = field(default_factory=list)


class Year:
    """A team and its bot, two hours by two hours. has_bot: without one, nobody is told of anything."""

    def __init__(self, database: Database, *, team: int, seed: int, has_bot: bool = True) -> None:
        self._database, self._chance, self._has_bot = database, random.Random(seed), has_bot
        self.people = [UserId(f"U{place:02}") for place in range(team)]
        self._leads = self.people[: max(2, team // 10)]
        self._zones = {user: ZONES[place % len(ZONES)] for place, user in enumerate(self.people)}
        self._diligence = {user: self._chance.uniform(0.1, 0.9) for user in self.people}
        self._gone: set[UserId] = set()
        self._inbox: dict[UserId, list[HypothesisNumber]] = defaultdict(list)
        self.figures = Figures()

    def play(self, *, weeks: int) -> Figures:
        """Play it."""
        with self._database.writing() as tx:
            workspaces.set_leads(tx, TEAM, self._leads, from_settings=True)
            for user in self.people:
                person = Person(user=user, zone=self._zones[user], is_admin=user == self.people[0])
                people.know(tx, TEAM, person, at=START)
        for day in range(weeks * 7):
            for hour in range(0, 24, 2):
                self._hour(START + day * DAY + hour * HOUR)
            self._evening(START + (day + 1) * DAY)
        self._count()
        return self.figures

    def _hour(self, now: datetime) -> None:
        with self._database.writing() as tx:
            self._tick(tx, now)
        for user in self.people:
            local = now.astimezone(ZoneInfo(self._zones[user]))
            if user not in self._gone and local.weekday() < 5 and local.hour // 2 in (5, 7):
                with self._database.writing() as tx:
                    self._works(tx, user, now)

    def _tick(self, tx: Transaction, now: datetime) -> None:
        """Do what the jobs do, and read what arrives."""
        for dossier in requests.expired(tx, now=now):
            requests.expire(tx, dossier, now=now)
        for dossier in requests.stuck(tx, TEAM, now=now):
            requests.pass_on(tx, dossier, now=now)
        if self._has_bot and nudges.workspaces_due(tx, now=now):
            asked = nudges.find(tx, TEAM, zone=ZONE, now=now)
            self.figures.asked_about += len(asked)
            nudges.send(tx, TEAM, asked, zone=ZONE, now=now)
            for one in asked:
                for nudge in one.nudges:
                    self._inbox[nudge.person].append(nudge.hypothesis)
        if digests.due(tx, zone=ZONE, now=now):
            stalled = {one.hypothesis for one in digests.compose(tx, TEAM, CHANNEL, now=now, zone=ZONE).stalled}
            digests.send_due(tx, TEAM, [CHANNEL], zone=ZONE, now=now)
            self._look_for_forgotten(tx, stalled if self._has_bot else set(), now)

    def _look_for_forgotten(self, tx: Transaction, stalled: set[HypothesisNumber], now: datetime) -> None:
        """Find what nobody has touched for long and nobody was told of, by the rows alone and not by the rules."""
        there = dossiers.list_hypotheses(tx, TEAM, is_open=True, limit=100_000)
        numbers = [one.number for one in there]
        changed, snoozed = nudging.changed_at(tx, TEAM, numbers), nudging.snoozed(tx, TEAM, numbers)
        column = schema.nudges.c
        for number in numbers:
            since = changed[number]
            is_old = now - since > GRACE
            told = select(column.key).where(column.hypothesis == number, column.made_at >= since).limit(1)
            is_known = number in stalled or any(until > now for until in snoozed.get(number, {}).values())
            if is_old and not is_known and tx.execute(told).first() is None:
                self.figures.forgotten.append((now.date(), number))

    def _evening(self, now: datetime) -> None:
        """Let messages arrive, people go away for two weeks, and once in a while one leave for good."""
        chance = self._chance
        with self._database.writing() as tx:
            column = schema.outbox.c
            tx.execute(delete(schema.outbox).where(column.kind != NoticeKind.REQUEST))
            tx.execute(schema.outbox.update().values(state=outbox.SENT))
            for user in self.people:
                if user in self._gone:
                    continue
                if chance.random() < 2 / 365:
                    stand_in = chance.choice(self.people) if chance.random() < 0.5 else None
                    back_on = (now + 14 * DAY).date()
                    with suppress(Refusal):
                        team.set_away(tx, TEAM, user, back_on=back_on, stand_in=stand_in, zone=ZONE, now=now)
                if user not in self._leads and chance.random() < 0.1 / 365:
                    self._gone.add(user)
                    people.know(tx, TEAM, Person(user=user, standing=Standing.DEACTIVATED), at=now)
        if now.weekday() == 0:
            self.figures.person_weeks += len(self.people) - len(self._gone)

    def _works(self, tx: Transaction, user: UserId, now: datetime) -> None:
        """Answer some of what came, file something once a month, and go on with one's own now and then."""
        if user in people.away(tx, TEAM, now):
            return
        chance, diligence = self._chance, self._diligence[user]
        for number in self._inbox.pop(user, []):
            wish = chance.random()
            if wish < diligence * 0.7:
                self._goes_on(tx, user, number, now)
            elif wish < diligence * 0.7 + 0.15:
                self._snoozes(tx, user, number, now)
        if chance.random() < 0.02:
            self._files(tx, user, now)
        mine = dossiers.list_hypotheses(tx, TEAM, owner=user, is_open=True, limit=50)
        asked = dossiers.with_request_of(tx, TEAM, user)
        for number in [*(one.number for one in mine if chance.random() < diligence * 0.02), *asked]:
            if number not in asked or chance.random() < 0.15:
                self._goes_on(tx, user, number, now)

    def _files(self, tx: Transaction, user: UserId, now: datetime) -> None:
        self.figures.filed += 1
        words = Statement(
            change=f"Change number {self.figures.filed}", metric="orders", direction=Direction.UP, because="We think so"
        )
        by = finding.get_member(tx, TEAM, user, now=now, channel=CHANNEL)
        hypotheses.file(tx, TEAM, words, by=by, owner=user, channel=CHANNEL, now=now)

    def _snoozes(self, tx: Transaction, user: UserId, number: HypothesisNumber, now: datetime) -> None:
        dossier = self._found(tx, number)
        by = finding.get_member(tx, TEAM, user, now=now, channel=CHANNEL, of=dossier)
        until = now.date() + timedelta(days=self._chance.choice((1, 3, 7, 30)))
        with suppress(Refusal):
            nudge_resolution.snooze(tx, dossier, by=by, until=until, zone=self._zones[user], now=now)

    def _found(self, tx: Transaction, number: HypothesisNumber) -> Dossier:
        dossier = dossiers.find(tx, TEAM, number)
        assert dossier is not None
        return dossier

    def _goes_on(self, tx: Transaction, user: UserId, number: HypothesisNumber, now: datetime) -> None:
        """Take the next step of a hypothesis, or close it; what the rules refuse is left."""
        with suppress(Refusal):
            step = _Step(tx, self._found(tx, number), user, now, self._chance)
            if step.is_owner_gone:
                team.take(tx, step.dossier, by=step.by, now=now)
            elif step.dossier.waiting_request is not None:
                step.answers()
            else:
                step.goes_on(self._leads)

    def _count(self) -> None:
        column = schema.nudges.c
        with self._database.reading() as tx:
            rows = list(tx.execute(select(column.person, column.subject, column.made_at, column.nudge)))
        messages: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
        for person, subject, made_at, nudge in rows:
            if subject is not None:
                messages[person, subject].append((made_at, nudge.case))
                self.figures.by_case[nudge.case] += 1
        for (person, _), items in messages.items():
            made_on = items[0][0].astimezone(ZoneInfo(self._zones[UserId(person)])).date()
            week = UserId(person), made_on - timedelta(days=made_on.weekday())
            self.figures.nudged[week] += 1
            self.figures.capped[week] += any(case not in UNCAPPED for _, case in items)


@dataclass(slots=True)
class _Step:
    """One person's next step with one hypothesis."""

    tx: Transaction
    dossier: Dossier
    user: UserId
    now: datetime
    chance: random.Random

    @property
    def by(self) -> Member:
        return finding.get_member(self.tx, TEAM, self.user, now=self.now, channel=CHANNEL, of=self.dossier)

    @property
    def is_owner_gone(self) -> bool:
        return team.is_owner_gone(self.tx, self.dossier)

    def answers(self) -> None:
        request = self.dossier.waiting_request
        assert request is not None
        by, now, position, version = self.by, self.now, request.position, self.dossier.hypothesis.version
        wish = self.chance.random()
        if wish < 0.6:
            requests.approve(self.tx, self.dossier, position, by=by, reason="Go", seen_version=version, now=now)
        elif wish < 0.8:
            requests.send_back(self.tx, self.dossier, position, by=by, reason="Which users?", now=now)
        else:
            requests.decline(self.tx, self.dossier, position, by=by, reason="Not now", now=now)

    def goes_on(self, leads: list[UserId]) -> None:
        stage = self.dossier.hypothesis.stage
        if self.chance.random() < 0.15 and self.dossier.running is None:
            self._closes()
        elif stage is Stage.HYPOTHESIZE:
            prototypes.begin(
                self.tx,
                self.dossier,
                by=self.by,
                summary="A query and five users",
                cap_days=2,
                stop_when="Nobody notices",
                build_guess_days=20,
                now=self.now,
            )
        elif stage is Stage.PROTOTYPE:
            self._tries()
        elif stage is Stage.PRODUCTIONIZE:
            held = dict.fromkeys(Tenfold, True)
            link = "https://example.com"
            hypotheses.ship(self.tx, self.dossier, by=self.by, link=link, holds=held, days_spent=9, now=self.now)
        else:
            self._experiments(leads)

    def _closes(self) -> None:
        hypotheses.close(
            self.tx,
            self.dossier,
            by=self.by,
            outcome=Outcome.REFUTED,
            learning="Less than we thought",
            days_spent=3,
            overrides="We know more",
            now=self.now,
        )

    def _tries(self) -> None:
        if not self.dossier.evidence or self.chance.random() < 0.4:
            kind = self.chance.choice((EvidenceKind.INTERVIEW, EvidenceKind.SQL))
            prototypes.add_evidence(
                self.tx,
                self.dossier,
                by=self.by,
                kind=kind,
                count=5,
                summary="4 of 5 asked for it",
                link=None,
                spent_days=1,
                offline=None,
                now=self.now,
            )
        else:
            experiments.plan(self.tx, self.dossier, PLAN, by=self.by, reason="Cheap enough", now=self.now)

    def _experiments(self, leads: list[UserId]) -> None:
        experiment = self.dossier.newest_experiment
        if experiment is None:
            return
        now, number = self.now, experiment.number
        if experiment.state is ExperimentState.DRAFT:
            experiments.start(self.tx, self.dossier, number, by=self.by, since=now, now=now)
        elif experiment.state is ExperimentState.STOPPED:
            self._asks(leads)
        elif experiment.end_reached_at is not None and experiment.end_reached_at < self.now:
            experiments.stop(self.tx, self.dossier, number, by=self.by, ended_at=now, reason=None, now=now)
        else:
            self._sends_totals()

    def _sends_totals(self) -> None:
        experiment = self.dossier.newest_experiment
        assert experiment is not None
        assert experiment.since is not None
        units = 200 * max(1, (self.now - experiment.since).days)
        effect = (-0.04, 0.0, 0.0, 0.0, 0.02)[experiment.number % 5]  # of five one harms, and one helps
        sizes = units, units // 2 if experiment.number % 11 == 0 else units  # of eleven one is split unevenly
        totals = {
            name: Moments(count=size, mean=rate, variance=rate * (1 - rate))
            for name, size, rate in zip(("control", "treatment"), sizes, (0.1, 0.1 + effect), strict=True)
        }
        recording.record(
            self.tx,
            self.dossier,
            experiment.number,
            by=self.by,
            metric=None,
            totals=totals,
            as_of=self.now,
            is_correction=False,
            now=self.now,
        )

    def _asks(self, leads: list[UserId]) -> None:
        eligible = [lead for lead in leads if lead not in self.dossier.hypothesis.involved]
        if not eligible or self.chance.random() < 0.3:
            self._closes()
            return
        requests.ask(
            self.tx,
            self.dossier,
            by=self.by,
            of=self.chance.choice(eligible),
            conclusion=Outcome.SUPPORTED,
            learning="People want it",
            amount_days=20,
            no_experiment_reason=NoExperimentReason.OTHER,
            no_experiment_note="",
            zone=ZONE,
            now=self.now,
        )


def simulate(database: Database, *, team: int, weeks: int, seed: int, has_bot: bool = True) -> Figures:
    """Return what so many weeks of a team were like."""
    return Year(database, team=team, seed=seed, has_bot=has_bot).play(weeks=weeks)


def main() -> None:
    """Play a year and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labcoat-bench-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'labcoat.db'}")
        migrate(database)
        figures = simulate(database, team=given.people, weeks=given.weeks, seed=given.seed)
        database.dispose()
    print(json.dumps({"benchmark": "nudges", "people": given.people, "weeks": given.weeks, **dict(_summary(figures))}))


def _summary(figures: Figures) -> Iterator[tuple[str, object]]:
    by_person: Counter[UserId] = Counter()
    for (person, _), count in figures.nudged.items():
        by_person[person] += count
    counts = sorted(figures.nudged.values())
    quiet = max(0, figures.person_weeks - len(counts))
    every_week = [0] * quiet + counts
    weeks = figures.person_weeks / max(1, len({*by_person}))
    yield "filed", figures.filed
    yield "messages", sum(counts)
    yield "a_person_a_week_mean", round(sum(counts) / max(1, figures.person_weeks), 2)
    yield "a_person_a_week_most_nudged", round(max(by_person.values(), default=0) / max(1.0, weeks), 2)
    yield "weeks_without_any_percent", round(100 * quiet / max(1, len(every_week)))
    yield "a_week_p99", every_week[int(0.99 * (len(every_week) - 1))]
    yield "a_week_max", max(counts, default=0)
    yield "a_week_max_within_caps", max(figures.capped.values(), default=0)
    yield "items_by_case", dict(figures.by_case.most_common())
    yield "asked_about", figures.asked_about
    yield "forgotten", len(figures.forgotten)


if __name__ == "__main__":
    main()
