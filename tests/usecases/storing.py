"""What tests of use cases put into the database, and what they read from the outbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import select

from builders import CHANNEL, E7, NOW, OWNER, WORKSPACE, a_dossier, a_member, an_experiment, events
from labcoat.db import dossiers, fact_rows, outbox
from labcoat.db.clock import machine_now
from labcoat.db.database import Transaction
from labcoat.db.tables import schema
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import Fact
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, Step
from labcoat.domain.notice import NoticeKind
from labcoat.domain.plan import Plan
from labcoat.stats.rule import Sample
from labcoat.usecases.experiments import experiments
from labcoat.usecases.looks import looks

FactT = TypeVar("FactT")


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that waits in the outbox: its kind, and the channel or person it goes to."""

    kind: NoticeKind
    to: str
    is_loud: bool = False


CARD = Told(NoticeKind.CARD, CHANNEL)
STORY = Told(NoticeKind.STORY, CHANNEL)
LOUD_STORY = Told(NoticeKind.STORY, CHANNEL, is_loud=True)


def stored(tx: Transaction, dossier: Dossier, *, at: datetime = NOW) -> Dossier:
    """Save a dossier as if it had been there before, changed last at `at`; nothing is told."""
    return dossiers.save(tx, None, dossier, step=Step.FILE, by=OWNER, at=at, reason=None)[0]


def told(tx: Transaction) -> list[Told]:
    """Return what waits in the outbox, in order."""
    column = schema.outbox.c
    query = select(column.kind, column.channel, column.person, column.is_loud).where(column.state == outbox.PENDING)
    return [Told(row.kind, row.channel or row.person, row.is_loud) for row in tx.execute(query.order_by(column.id))]


def deliver_all(tx: Transaction) -> None:
    """Let everything that waits be sent."""
    at = machine_now() + timedelta(hours=1)
    while (claim := outbox.claim(tx, at=at, lease=timedelta(minutes=1))) is not None:
        outbox.settle(tx, claim, channel=CHANNEL, ts="1.2")


def facts_of(tx: Transaction, shape: type[FactT]) -> list[FactT]:
    """Return the waiting facts of a type, in order."""
    column = schema.outbox.c
    query = select(column.kind, column.details).where(column.state == outbox.PENDING).order_by(column.id)
    facts = [fact_rows.load(row.kind, row.details) for row in tx.execute(query)]
    return [one for one in facts if isinstance(one, shape)]


def stories_of(tx: Transaction) -> list[Fact]:
    """Return the facts of the waiting lines of threads, in order."""
    column = schema.outbox.c
    query = select(column.kind, column.details).where(column.state == outbox.PENDING).order_by(column.id)
    return [fact_rows.load(row.kind, row.details) for row in tx.execute(query) if row.kind is NoticeKind.STORY]


def found(tx: Transaction, dossier: Dossier, workspace: WorkspaceId = WORKSPACE) -> Dossier:
    """Return the dossier as it is stored now."""
    now = dossiers.find(tx, workspace, dossier.hypothesis.number)
    assert now is not None
    return now


def started(tx: Transaction, plan: Plan | None = None, *, since: datetime = NOW) -> Dossier:
    """Start E-7 at the moment its traffic began."""
    draft = stored(tx, a_dossier(an_experiment(ExperimentState.DRAFT, plan=plan, since=since)))
    return experiments.start(tx, draft, E7, by=a_member(), since=since, now=since)


def a_sample(treated: int = 550, *, of: int = 5000) -> Sample:
    """Orders of two arms of the same size; control has 10 %."""
    return Sample(exposed=(of, of), moments={"orders per user": (events(of // 10, of=of), events(treated, of=of))})


def the_due_look(tx: Transaction, now: datetime) -> looks.DueLook:
    """Return the only look that is due."""
    (due,) = looks.due(tx, now=now)
    return due
