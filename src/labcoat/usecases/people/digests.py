"""The weekly digest: composed from what is stored, claimed by its week, sent once by whichever replica is first."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from functools import cache
from typing import TypeVar

from labcoat.db import outbox, periods
from labcoat.db.database import Transaction
from labcoat.db.periods import DigestChannel, MadeDigest
from labcoat.domain.digest import (
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
from labcoat.domain.facts import ChartDue, ChartsLeftOut, DigestMade
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.look import Look
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.stall import Stall
from labcoat.domain.verdicts import called, deciding, harmed, has_changed, is_unhealthy, leading
from labcoat.usecases.people import digest_week
from labcoat.usecases.people.digest_week import Week

ItemT = TypeVar("ItemT")

LATE_AFTER = timedelta(hours=1)  # decision 41
MOST_CHARTS = 5
NO_INFLOW_AFTER = timedelta(days=14)


def due(tx: Transaction, *, zone: str, now: datetime) -> dict[WorkspaceId, list[ChannelId]]:
    """Return, by workspace, the channels whose newest week is due and was not made. zone: for who chose none."""
    tomorrow = now.date() + timedelta(days=1)  # as far as any zone is ahead
    found: dict[WorkspaceId, list[ChannelId]] = {}
    slot_of = cache(lambda chosen: digest_week.latest_slot(chosen, zone=zone, now=now))
    for one in periods.digest_channels(tx, before=tomorrow - timedelta(days=tomorrow.weekday())):
        if _is_due(one, *slot_of(one.settings.digest_slot)):
            found.setdefault(one.workspace, []).append(one.channel)
    return found


def _is_due(channel: DigestChannel, monday: date, slot: datetime) -> bool:
    """Whether the week of a slot is to be made; one that began before the channel's first hypothesis is nobody's."""
    return channel.first_filed_at < slot and (channel.newest is None or channel.newest < monday)


def send_due(tx: Transaction, workspace: WorkspaceId, of: Collection[ChannelId], *, zone: str, now: datetime) -> int:
    """Claim the newest due week of each of these channels and put its digest in the outbox; return how many.

    Of several missed weeks only the newest is made.
    """
    held = periods.hold_channels(tx, workspace, of)
    mine = [
        one.channel
        for one in held
        if _is_due(one, *digest_week.latest_slot(one.settings.digest_slot, zone=zone, now=now))
    ]
    made: dict[ChannelId, MadeDigest] = {}
    notices: list[Notice] = []
    for channel, week in digest_week.read(tx, workspace, mine, zone=zone, now=now).items():
        digest = _composed(week, now=now)
        is_silent = digest.is_empty and week.newest is not None and week.newest.said_nothing_open
        made[channel] = MadeDigest(
            monday=week.monday,
            made_at=now,
            is_silent=is_silent,
            said_nothing_open=digest.is_empty,
            told=digest_week.told_by(week, now=now),
        )
        if not is_silent:
            notices += _notices(workspace, channel, digest, subject=f"digest {channel} {week.monday}")
    outbox.put(tx, *notices)
    periods.add_digests(tx, workspace, made)
    return len(made)


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
    outbox.put(tx, *_notices(workspace, channel, digest, subject=subject, asked_by=asked_by))


def _notices(
    workspace: WorkspaceId, channel: ChannelId, digest: Digest, *, subject: str, asked_by: UserId | None = None
) -> list[Notice]:
    made = DigestMade(digest=digest, asked_by=asked_by)
    head = Notice(kind=NoticeKind.DIGEST, workspace=workspace, channel=channel, subject=subject, fact=made)
    replies: list[ChartDue | ChartsLeftOut] = [
        ChartDue(hypothesis=one.hypothesis, experiment=one.experiment, slot=one.slot)
        for one in digest.charts[:MOST_CHARTS]
    ]
    if len(digest.charts) > MOST_CHARTS:
        replies.append(ChartsLeftOut(count=len(digest.charts)))
    return [
        head,
        *(
            Notice(kind=NoticeKind.CHART, workspace=workspace, channel=channel, parent=subject, fact=reply)
            for reply in replies
        ),
    ]


def compose(tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, now: datetime, zone: str) -> Digest:
    """Return what happened in the channel since its last digest, or in the last seven days without one."""
    return _composed(digest_week.read(tx, workspace, [channel], zone=zone, now=now)[channel], now=now)


def _composed(week: Week, *, now: datetime) -> Digest:
    closed = [one for one in week.dossiers if one.hypothesis.ending is not None]
    still_open = [one for one in week.dossiers if one.hypothesis.ending is None]
    waiting = sorted(
        (one for one in still_open if one.hypothesis.stage is Stage.HYPOTHESIZE),
        key=lambda one: one.hypothesis.filed_at,
    )
    oldest = waiting[0].hypothesis if waiting else None
    health = _present(_health(one, week) for one in still_open)
    # A win that stands beside a harm is told under the results too.
    told_there = {
        item.hypothesis for item in health if item.readout is None or not leading(item.readout).verdict.is_win
    }
    return Digest(
        charts=_present(_chart(one, week) for one in week.dossiers),
        is_detailed=week.settings.is_detailed,
        has_no_inflow=week.last_filed_at is not None and week.last_filed_at < now - NO_INFLOW_AFTER,
        monday=week.monday,
        is_late=now - week.slot > LATE_AFTER,
        closed_count=len(closed),
        learned_by_experiment=sum(_taught(week.looks.get(one.hypothesis.number)) for one in closed),
        learned_by_prototype=sum(taught_by_prototype(one) for one in closed),
        open_count=len(still_open),
        waiting_count=len(waiting),
        oldest_waiting=oldest.number if oldest else None,
        oldest_waiting_change=oldest.change if oldest else "",
        oldest_waiting_days=(now - oldest.filed_at).days if oldest else 0,
        decide=_present(_decide(one) for one in still_open),
        health=health,
        results=_present(_result(one, week) for one in still_open if one.hypothesis.number not in told_there),
        closed=tuple(_closed(one) for one in closed),
        stalled=tuple(_stalled(one, stall, now) for one, stall in week.stalled),
    )


def _news(dossier: Dossier, week: Week) -> Look | None:
    """Return the newest look with a readout, if no digest told it."""
    look = week.looks.get(dossier.hypothesis.number)
    is_news = look is not None and look.readout is not None and digest_week.is_news(look, week.since, week.told)
    return look if is_news else None


def _chart(dossier: Dossier, week: Week) -> ChartItem | None:
    """Return the look if any verdict is another than at the last digest, or it is the first, or trouble."""
    look = _news(dossier, week)
    if look is None or look.readout is None:
        return None
    before = week.verdicts_before.get(look.experiment)
    if before is not None and not has_changed(before, called(look.readout)) and not before.is_unhealthy:
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


def _health(dossier: Dossier, week: Week) -> HealthItem | None:
    experiment = dossier.newest_experiment
    if experiment is None or experiment.state is ExperimentState.DRAFT:
        return None
    look = _news(dossier, week)
    readout = look.readout if look is not None else None
    problem = week.problems.get(experiment.number)
    unhealthy = readout if readout is not None and is_unhealthy(readout) else None
    if unhealthy is None and problem is None:
        return None
    bad = next(iter(harmed(unhealthy)), None) if unhealthy is not None else None
    return HealthItem(
        hypothesis=dossier.hypothesis.number,
        experiment=experiment.number,
        change=dossier.hypothesis.change,
        readout=unhealthy,
        problem=problem.message if problem else None,
        ran=dossier.while_it_ran(experiment),
        treatment=bad.treatment if bad is not None else None,
        metric=bad.metric if bad is not None else None,
        plan=experiment.plan if unhealthy is not None else None,
    )


def _result(dossier: Dossier, week: Week) -> ResultItem | None:
    experiment, look = dossier.newest_experiment, _news(dossier, week)
    if experiment is None or look is None or look.readout is None:
        return None
    first = leading(look.readout)
    estimate = deciding(look.readout, first)
    if estimate is None:
        return None
    metric = experiment.plan.metric(estimate.metric)
    return ResultItem(
        hypothesis=dossier.hypothesis.number,
        experiment=experiment.number,
        change=dossier.hypothesis.change,
        metric=metric.name,
        kind=metric.kind,
        direction=metric.direction,
        estimate=estimate,
        readout=look.readout,
        as_of=look.as_of,
        ran=dossier.while_it_ran(experiment),
        treatment=first.treatment,
        plan=experiment.plan,
    )


def _closed(dossier: Dossier) -> ClosedItem:
    ending, newest = dossier.hypothesis.ending, dossier.newest_experiment
    assert ending is not None
    return ClosedItem(
        hypothesis=dossier.hypothesis.number,
        change=dossier.hypothesis.change,
        outcome=ending.outcome,
        decision=ending.decision,
        learning=ending.learning,
        days_not_spent=days_not_spent(dossier),
        ran=dossier.while_it_ran(newest) if newest is not None else None,
        treatment=dossier.shipped_treatment,
    )


def _stalled(dossier: Dossier, stall: Stall, now: datetime) -> StalledItem:
    hypothesis, days = dossier.hypothesis, max(0, (now - stall.since).days)
    return StalledItem(hypothesis=hypothesis.number, change=hypothesis.change, why=stall.case, days=days)
