"""App Home: what waits for a person, what is theirs, and how the team does."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.db import dossiers, looks, outbox
from labcoat.db.database import Transaction
from labcoat.domain.digest import taught_by_experiment, taught_by_prototype
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.lifecycle import Stage
from labcoat.domain.notice import Undelivered, home_subject
from labcoat.domain.waiting import Waiting, WaitingCase, find_waiting
from labcoat.stats.results import Readout
from labcoat.usecases.people import undelivered

LEARNING_DAYS, INFLOW_DAYS = 90, 14
MOST_RUNNING = 8
MOST_UNDELIVERED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningItem:
    """A running experiment of the team. readout: of its newest look, None before the first."""

    experiment: Experiment
    change: str
    readout: Readout | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What a person's Home shows.

    mine: their open hypotheses, newest first. closed, learned: of the last 90 days. inflow, inflow_before: hypotheses
    filed in the last two weeks and in the two before. is_first_run: nothing was ever filed here.
    given_up: how many messages could not be delivered; 0 for whoever is no admin. undelivered: the newest of them.
    """

    waiting: tuple[Waiting, ...]
    mine: tuple[Hypothesis, ...]
    running: tuple[RunningItem, ...]
    running_count: int
    closed: int
    learned: int
    inflow: int
    inflow_before: int
    is_first_run: bool
    given_up: int
    undelivered: tuple[Undelivered, ...]


def compose(tx: Transaction, workspace: WorkspaceId, user: UserId, *, now: datetime) -> Home:
    """Return what the person's Home shows now."""
    mine = dossiers.list_hypotheses(tx, workspace, owner=user, is_open=True, limit=1000)
    asked = dossiers.with_request_of(tx, workspace, user)
    running = dossiers.with_running(tx, workspace, limit=MOST_RUNNING)
    closed = dossiers.closed_since(tx, workspace, now - timedelta(days=LEARNING_DAYS))
    inflow = dossiers.count_filed(tx, workspace, since=now - timedelta(days=INFLOW_DAYS))
    inflow_twice = dossiers.count_filed(tx, workspace, since=now - timedelta(days=2 * INFLOW_DAYS))
    begun = {one.number for one in mine if one.stage is not Stage.HYPOTHESIZE}  # before that nothing waits for anybody
    found = dossiers.read_many(tx, workspace, sorted(begun | set(asked)))
    waiting = [item for one in found if (item := find_waiting(one, user, now=now)) is not None]
    given_up, newest = undelivered.shown_to(tx, workspace, user, limit=MOST_UNDELIVERED)
    return Home(
        waiting=tuple(sorted(waiting, key=lambda item: (list(WaitingCase).index(item.case), item.since))),
        mine=tuple(mine),
        running=_running(tx, workspace, running),
        running_count=dossiers.count_running(tx, workspace),
        closed=len(closed),
        learned=_learned(tx, workspace, closed),
        inflow=inflow,
        inflow_before=inflow_twice - inflow,
        is_first_run=not mine and not dossiers.has_any(tx, workspace),
        given_up=given_up,
        undelivered=newest,
    )


def _running(tx: Transaction, workspace: WorkspaceId, found: list[Dossier]) -> tuple[RunningItem, ...]:
    experiments = [(one.hypothesis.change, one.running) for one in found if one.running is not None]
    newest = looks.newest_of(tx, workspace, [experiment.number for _, experiment in experiments])
    return tuple(
        RunningItem(experiment=experiment, change=change, readout=experiment.standing(newest.get(experiment.number)))
        for change, experiment in experiments
    )


def _learned(tx: Transaction, workspace: WorkspaceId, closed: list[Dossier]) -> int:
    tested = [one.newest_experiment for one in closed if one.newest_experiment is not None]
    newest = looks.newest_of(tx, workspace, [one.number for one in tested])
    by_experiment = sum(taught_by_experiment(one.standing(newest.get(one.number))) for one in tested)
    return by_experiment + sum(taught_by_prototype(one) for one in closed)


def remember_opened(tx: Transaction, workspace: WorkspaceId, user: UserId) -> None:
    """Remember that somebody uses Home, so that it is kept true while they look at it."""
    outbox.remember_post(tx, workspace, home_subject(user))
