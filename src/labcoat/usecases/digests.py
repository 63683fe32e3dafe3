"""The weekly digest: composed from what is stored, claimed by its week, sent once by whichever replica is first."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter

from labcoat.db import channels, dossiers, looks, outbox, periods
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.digest import (
    UNHEALTHY,
    ChartItem,
    ClosedItem,
    DecideItem,
    Digest,
    HealthItem,
    ResultItem,
    StalledItem,
    days_not_spent,
    taught_by_experiment,
    taught_by_prototype,
)
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.look import Look
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.usecases import results

ItemT = TypeVar("ItemT")

LATE_AFTER = timedelta(hours=1)
MOST_CHARTS = 5
NO_INFLOW_AFTER = timedelta(days=14)
_ADAPTER: TypeAdapter[Digest] = TypeAdapter(Digest)


def is_due(tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, zone: str, now: datetime) -> bool:
    """Whether the channel's newest week is due and was not made.

    A week that began before the channel's first hypothesis is nobody's; of several missed ones only the newest is made.
    """
    monday, slot = latest_slot(tx, workspace, channel, zone=zone, now=now)
    newest = periods.newest_digest(tx, workspace, channel)
    if newest is not None and newest.monday >= monday:
        return False
    first = dossiers.first_filed_at(tx, workspace, channel)
    return first is not None and first < slot


def latest_slot(
    tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, zone: str, now: datetime
) -> tuple[date, datetime]:
    """Return the newest week that is due by the channel's settings. zone: for a channel that chose none."""
    chosen = channels.settings(tx, workspace, channel)
    return schedule.latest_digest_slot(
        now, zone=chosen.zone or zone, weekday=chosen.digest_weekday, clock=chosen.digest_time
    )


def send_due(tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, zone: str, now: datetime) -> bool:
    """Claim the channel's newest due week and put its digest in the outbox; return whether a week was claimed."""
    if not is_due(tx, workspace, channel, zone=zone, now=now):
        return False
    monday, _ = latest_slot(tx, workspace, channel, zone=zone, now=now)
    newest = periods.newest_digest(tx, workspace, channel)
    digest = compose(tx, workspace, channel, now=now, zone=zone)
    was_told = newest is not None and newest.said_nothing_open
    is_claimed = periods.claim_digest(
        tx,
        workspace,
        channel,
        monday,
        at=now,
        is_silent=digest.is_empty and was_told,
        said_nothing_open=digest.is_empty,
    )
    if is_claimed and not (digest.is_empty and was_told):
        put(tx, workspace, channel, digest, subject=f"digest {channel} {monday}")
    return is_claimed


def put(
    tx: Transaction,
    workspace: WorkspaceId,
    channel: ChannelId,
    digest: Digest,
    *,
    subject: str,
    asked_by: UserId | None = None,
) -> None:
    """Put a composed digest in the outbox, and what its thread shows.

    subject: names this one. asked_by: who is told if it cannot be shown; None on Mondays.
    """
    details = {"digest": _ADAPTER.dump_python(digest, mode="json"), "asked_by": asked_by}
    notice = Notice(kind=NoticeKind.DIGEST, workspace=workspace, channel=channel, subject=subject, details=details)
    outbox.put(tx, notice)
    replies: list[dict[str, object]] = [
        {"hypothesis": one.hypothesis, "experiment": one.experiment, "look": one.slot.isoformat()}
        for one in digest.charts[:MOST_CHARTS]
    ]
    if len(digest.charts) > MOST_CHARTS:
        replies.append({"count": len(digest.charts)})
    for reply in replies:
        thread = Notice(kind=NoticeKind.CHART, workspace=workspace, channel=channel, parent=subject, details=reply)
        outbox.put(tx, thread)


def from_details(details: Any) -> Digest:
    """Return the digest that a notice carries."""
    return _ADAPTER.validate_python(details)


def compose(tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, now: datetime, zone: str) -> Digest:
    """Return what happened in the channel since its last digest, or in the last seven days without one."""
    monday, slot = latest_slot(tx, workspace, channel, zone=zone, now=now)
    newest = periods.newest_digest(tx, workspace, channel)
    since = newest.made_at if newest is not None else now - timedelta(days=7)
    numbers = dossiers.numbers_open_or_ended_since(tx, workspace, channel, since=since)
    all_dossiers = dossiers.read_many(tx, workspace, numbers)
    newest_looks = {one.hypothesis.number: results.newest_look(tx, one) for one in all_dossiers}
    closed = [one for one in all_dossiers if one.hypothesis.ending is not None]
    still_open = [one for one in all_dossiers if one.hypothesis.ending is None]
    waiting = sorted(
        (one for one in still_open if one.hypothesis.stage is Stage.HYPOTHESIZE),
        key=lambda one: one.hypothesis.filed_at,
    )
    oldest = waiting[0].hypothesis if waiting else None
    health = _present(_health(tx, workspace, one, newest_looks[one.hypothesis.number], since) for one in still_open)
    unhealthy = {item.hypothesis for item in health}
    settings = channels.settings(tx, workspace, channel)
    last_filed = dossiers.last_filed_at(tx, workspace, channel)
    return Digest(
        charts=_present(_chart(tx, one, newest_looks[one.hypothesis.number], since) for one in all_dossiers),
        is_detailed=settings.is_detailed,
        has_no_inflow=last_filed is not None and last_filed < now - NO_INFLOW_AFTER,
        monday=monday,
        is_late=now - slot > LATE_AFTER,
        closed_count=len(closed),
        learned_by_experiment=sum(_taught(newest_looks.get(one.hypothesis.number)) for one in closed),
        learned_by_prototype=sum(taught_by_prototype(one) for one in closed),
        open_count=len(still_open),
        waiting_count=len(waiting),
        oldest_waiting=oldest.number if oldest else None,
        oldest_waiting_change=oldest.change if oldest else "",
        oldest_waiting_days=(now - oldest.filed_at).days if oldest else 0,
        decide=_present(_decide(one) for one in still_open),
        health=health,
        results=_present(
            _result(one, newest_looks[one.hypothesis.number], since)
            for one in still_open
            if one.hypothesis.number not in unhealthy
        ),
        closed=tuple(_closed(one) for one in closed),
        stalled=_present(_stalled(one, now) for one in still_open),
    )


def _chart(tx: Transaction, dossier: Dossier, look: Look | None, since: datetime) -> ChartItem | None:
    """Return the look if its verdict is another than at the last digest, or its first, or trouble."""
    if look is None or look.readout is None or look.made_at <= since:
        return None
    before = looks.verdict_before(tx, dossier.hypothesis.workspace, look.experiment, since)
    if before is look.readout.verdict and before not in UNHEALTHY:
        return None
    return ChartItem(hypothesis=dossier.hypothesis.number, experiment=look.experiment, slot=look.slot)


def _present(items: Iterable[ItemT | None]) -> tuple[ItemT, ...]:
    return tuple(item for item in items if item is not None)


def _taught(look: Look | None) -> bool:
    return look is not None and taught_by_experiment(look.readout)


def _decide(dossier: Dossier) -> DecideItem | None:
    request = dossier.waiting_request
    if request is None:
        return None
    return DecideItem(
        hypothesis=dossier.hypothesis.number,
        change=dossier.hypothesis.change,
        asked_of=request.asked_of,
        asked_at=request.asked_at,
    )


def _health(
    tx: Transaction,
    workspace: WorkspaceId,
    dossier: Dossier,
    look: Look | None,
    since: datetime,
) -> HealthItem | None:
    experiment = dossier.newest_experiment
    if experiment is None or experiment.state is ExperimentState.DRAFT:
        return None
    readout = look.readout if look is not None and look.made_at > since else None
    problem = looks.find_problem(tx, workspace, experiment.number)
    is_unhealthy = readout is not None and readout.verdict in UNHEALTHY
    if not is_unhealthy and problem is None:
        return None
    return HealthItem(
        hypothesis=dossier.hypothesis.number,
        experiment=experiment.number,
        change=dossier.hypothesis.change,
        readout=readout if is_unhealthy else None,
        problem=problem.message if problem else None,
    )


def _result(dossier: Dossier, look: Look | None, since: datetime) -> ResultItem | None:
    experiment = dossier.newest_experiment
    if experiment is None or look is None or look.readout is None or look.made_at <= since:
        return None
    goal = experiment.plan.goal
    estimate = next((one for one in look.readout.estimates if one.metric == goal.name), None)
    if estimate is None:
        return None
    return ResultItem(
        hypothesis=dossier.hypothesis.number,
        experiment=experiment.number,
        change=dossier.hypothesis.change,
        metric=goal.name,
        kind=goal.kind,
        direction=goal.direction,
        estimate=estimate,
        readout=look.readout,
        as_of=look.as_of,
    )


def _closed(dossier: Dossier) -> ClosedItem:
    ending = dossier.hypothesis.ending
    assert ending is not None
    return ClosedItem(
        hypothesis=dossier.hypothesis.number,
        change=dossier.hypothesis.change,
        outcome=ending.outcome,
        decision=ending.decision,
        learning=ending.learning,
        days_not_spent=days_not_spent(dossier),
    )


def _stalled(dossier: Dossier, now: datetime) -> StalledItem | None:
    experiment = dossier.newest_experiment
    why, since = "", now
    if dossier.waiting_request is not None:
        return None
    if experiment is not None and experiment.state is ExperimentState.RUNNING:
        assert experiment.end_reached_at is not None
        why, since = "its planned end has passed", experiment.end_reached_at
    elif experiment is not None and experiment.state is ExperimentState.STOPPED and experiment.stopped_at is not None:
        if dossier.hypothesis.stage is Stage.EXPERIMENT:
            why, since = "stopped, not decided", experiment.stopped_at
    elif dossier.prototypes and dossier.prototypes[-1].is_over_cap:
        why, since = "the prototype is over its cap", dossier.prototypes[-1].begun_at
    if not why or since >= now:
        return None
    days = (now - since).days
    return StalledItem(hypothesis=dossier.hypothesis.number, change=dossier.hypothesis.change, why=why, days=days)
