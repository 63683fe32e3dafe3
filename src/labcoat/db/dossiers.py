"""Hypotheses with all that belongs to them: found, read and saved as one, with the history of every change."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)

from labcoat.db import diff, dossier_rows, nudging, periods
from labcoat.db.database import Transaction
from labcoat.db.dossier_rows import CHILDREN
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables import schema
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Ending, Hypothesis
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step

_WORKSPACE: BindParameter[str] = bindparam("workspace")
_ADD, _ADD_HISTORY = insert(schema.hypotheses), insert(schema.history)
_CHANGE = (
    update(schema.hypotheses)
    .where(
        schema.hypotheses.c.workspace == bindparam("its_workspace"),
        schema.hypotheses.c.number == bindparam("its_number"),
        schema.hypotheses.c.version == bindparam("version_read"),
    )
    .values(nudging.TOUCHED)
)


class ChangedMeanwhileError(Exception):  # not an error: someone was quicker
    """Raised when somebody else saved the hypothesis since it was read; read it again and decide anew."""


def find(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> Dossier | None:
    """Return the hypothesis of this workspace with all that belongs to it."""
    return dossier_rows.find(tx, workspace, number)


def hold(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> None:
    """Keep other replicas from holding this hypothesis until the transaction ends."""
    column = schema.hypotheses.c
    one = select(column.number).where(column.workspace == workspace, column.number == number)
    tx.execute(one.with_for_update())


def find_of_experiment(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Dossier | None:
    """Return the hypothesis that an experiment of this workspace tests."""
    return dossier_rows.find(tx, workspace, number, is_experiment=True)


def read_many(tx: Transaction, workspace: WorkspaceId, numbers: Sequence[HypothesisNumber]) -> list[Dossier]:
    """Return the hypotheses of these numbers that exist, by number."""
    return dossier_rows.read_many(tx, workspace, numbers)


def save(
    tx: Transaction,
    old: Dossier | None,
    new: Dossier,
    *,
    step: Step,
    by: UserId | None,
    at: datetime,
    reason: str | None,
    next_looks: Mapping[ExperimentNumber, datetime | None] = MappingProxyType({}),
) -> tuple[Dossier, int]:
    """Store what differs, if nobody saved since `old` was read, and write its history.

    next_looks: when the next look of an experiment is due; None for never.
    Returns the dossier at its new version, and the id of the history entry. Raises ChangedMeanwhileError.
    """
    version = new.hypothesis.version + 1
    new = new.with_hypothesis(replace(new.hypothesis, version=version))
    _save_hypothesis(tx, old.hypothesis if old else None, new.hypothesis, at=at)
    for word, _, table, key in CHILDREN:
        more = {number: {"next_look_at": at} for number, at in next_looks.items()} if word == "experiments" else {}
        before = getattr(old, word) if old else ()
        _save_children(tx, new.hypothesis, before, getattr(new, word), table, key, more=more)
    entry = {
        "workspace": new.hypothesis.workspace,
        "hypothesis": new.hypothesis.number,
        "step": step,
        "by": by,
        "at": at,
        "reason": reason,
        "changes": diff.between(old, new),
    }
    written = tx.execute(_ADD_HISTORY, entry).inserted_primary_key
    assert written is not None
    return new, int(written[0])


def count_correction(tx: Transaction, dossier: Dossier, experiment: Experiment) -> Dossier:
    """Count a change of what decisions rest on, so that whoever decides on what was read before is asked again.

    experiment: as it is now, with other looks that its dropped treatments rest on. The hypothesis must be held.
    """
    hypothesis, column = dossier.hypothesis, schema.hypotheses.c
    one = update(schema.hypotheses).where(column.workspace == hypothesis.workspace, column.number == hypothesis.number)
    tx.execute(one.values(version=column.version + 1))
    changed = dossier.with_experiment(experiment)
    _save_children(tx, hypothesis, dossier.experiments, changed.experiments, schema.experiments, "number")
    return changed.with_hypothesis(replace(hypothesis, version=hypothesis.version + 1))


def _save_hypothesis(tx: Transaction, old: Hypothesis | None, new: Hypothesis, *, at: datetime) -> None:
    row = {**to_row(new, schema.hypotheses, since=old), "changed_at": at}
    if "ending" in row:
        row["ended_at"] = new.ending.at if new.ending else None
    if old is None or old.channel != new.channel:
        periods.add_channel(tx, new.workspace, new.channel, first_filed_at=new.filed_at)
    if old is None:
        tx.execute(_ADD, {**row, "next_nudge_at": at})
        return
    read = {"its_workspace": old.workspace, "its_number": old.number, "version_read": old.version}
    if tx.execute(_CHANGE, {**row, **read}).rowcount != 1:
        raise ChangedMeanwhileError


def _save_children(
    tx: Transaction,
    hypothesis: Hypothesis,
    old: Iterable[Any],
    new: Iterable[Any],
    table: Table,
    key: str,
    *,
    more: Mapping[Any, Mapping[str, object]] = MappingProxyType({}),
) -> None:
    """Store the children that differ. more: columns beside those of the value, by key."""
    before = {getattr(child, key): child for child in old}
    owned = {"workspace": hypothesis.workspace, "hypothesis": hypothesis.number}
    added = []
    for child in new:
        earlier = before.get(getattr(child, key))
        if earlier is None:
            added.append({**owned, **to_row(child, table), **more.get(getattr(child, key), {})})
        elif earlier != child or getattr(child, key) in more:
            where = [table.c[name] == value for name, value in owned.items()]
            where.append(table.c[key] == getattr(child, key))
            row = {**to_row(child, table, since=earlier), **more.get(getattr(child, key), {})}
            tx.execute(update(table).where(*where).values(row))
    if added:
        tx.execute(insert(table), added)


def open_or_ended_since(
    tx: Transaction, workspace: WorkspaceId, since: Mapping[ChannelId, datetime]
) -> dict[ChannelId, list[HypothesisNumber]]:
    """Return, by channel, the hypotheses that are open, or were closed after the channel's moment.

    What was imported is left out until somebody takes it up.
    """
    column = schema.hypotheses.c
    query = select(column.channel, column.number, column.ended_at).where(
        column.workspace == workspace,
        column.channel.in_(since),
        column.ended_at.is_(None) | (column.ended_at > min(since.values())),
        column.is_imported.is_(False),
    )
    found: dict[ChannelId, list[HypothesisNumber]] = {channel: [] for channel in since}
    for channel, number, ended_at in tx.execute(query):
        if ended_at is None or ended_at > since[channel]:
            found[channel].append(HypothesisNumber(number))
    return found


def list_hypotheses(
    tx: Transaction,
    workspace: WorkspaceId,
    *,
    owner: UserId | None = None,
    is_open: bool | None = None,
    stage: Stage | None = None,
    tag: str | None = None,
    limit: int = 20,
    offset: int = 0,
) -> list[Hypothesis]:
    """Return hypotheses, newest first; the open ones before the closed, by when those were closed.

    None for a filter: any.
    """
    table = schema.hypotheses
    query = select(table).where(table.c.workspace == workspace)
    if owner is not None:
        query = query.where(table.c.owner == owner)
    if is_open is not None:
        query = query.where(table.c.ended_at.is_(None) if is_open else table.c.ended_at.is_not(None))
    if stage is not None:
        query = query.where(table.c.stage == stage)
    if tag is not None:  # stored as JSON, whose text has each tag in quotes
        query = query.where(cast(table.c.tags, String).contains(json.dumps(tag.lower()), autoescape=True))
    by_end = () if is_open else (table.c.ended_at.desc().nulls_first(),)  # an index has the open ones by number
    query = query.order_by(*by_end, table.c.number.desc()).limit(limit).offset(offset)
    return [from_row(Hypothesis, table, row) for row in tx.execute(query).mappings()]


def with_waiting_request(tx: Transaction, workspace: WorkspaceId) -> list[HypothesisNumber]:
    """Return the hypotheses of a workspace whose request waits for an answer."""
    column = schema.requests.c
    query = select(column.hypothesis).where(column.workspace == workspace, column.state == RequestState.WAITING)
    return [HypothesisNumber(number) for number in tx.execute(query).scalars()]


def with_expired_request(tx: Transaction, now: datetime) -> list[tuple[WorkspaceId, HypothesisNumber]]:
    """Return, over all workspaces, the hypotheses whose waiting request has run out of time."""
    column = schema.requests.c
    query = select(column.workspace, column.hypothesis).where(
        column.state == RequestState.WAITING, column.expires_at <= now
    )
    return [(WorkspaceId(workspace), HypothesisNumber(number)) for workspace, number in tx.execute(query)]


def metric_names(tx: Transaction, workspace: WorkspaceId, *, limit: int = 50) -> list[str]:
    """Return metric names that people used before, for suggestions."""
    column = schema.hypotheses.c
    query = select(column.metric).where(column.workspace == workspace).distinct().limit(limit)
    return sorted(tx.execute(query).scalars())


def with_request_of(tx: Transaction, workspace: WorkspaceId, person: UserId) -> list[HypothesisNumber]:
    """Return the hypotheses whose waiting request this person was asked to answer."""
    column = schema.requests.c
    query = select(column.hypothesis).where(
        column.workspace == workspace, column.state == RequestState.WAITING, column.asked_of == person
    )
    return [HypothesisNumber(number) for number in tx.execute(query).scalars()]


def _running(workspace: WorkspaceId) -> tuple[ColumnElement[bool], ...]:
    column = schema.experiments.c
    return column.workspace == workspace, column.state == ExperimentState.RUNNING


def with_running(tx: Transaction, workspace: WorkspaceId, *, limit: int) -> list[Dossier]:
    """Return hypotheses with a running experiment, the newest experiments first to be among them."""
    column = schema.experiments.c
    # In order here: by number SQLite would read what does not run any more, too.
    running = tx.execute(select(column.number, column.hypothesis).where(*_running(workspace)))
    newest = sorted(running, reverse=True)[:limit]
    return read_many(tx, workspace, [HypothesisNumber(hypothesis) for _, hypothesis in newest])


def count_running(tx: Transaction, workspace: WorkspaceId) -> int:
    """Return how many experiments of the workspace run."""
    query = select(func.count()).select_from(schema.experiments).where(*_running(workspace))
    return int(tx.execute(query).scalar_one())


def closed_since(tx: Transaction, workspace: WorkspaceId, since: datetime) -> list[Dossier]:
    """Return the hypotheses that were closed after `since`, without those that were imported."""
    column = schema.hypotheses.c
    query = select(column.number).where(
        column.workspace == workspace, column.ended_at > since, column.is_imported.is_(False)
    )
    return read_many(tx, workspace, [HypothesisNumber(number) for number in tx.execute(query).scalars()])


def count_filed(tx: Transaction, workspace: WorkspaceId, *, since: datetime) -> int:
    """Return how many hypotheses were filed after `since`, without those that were imported."""
    column = schema.hypotheses.c
    query = select(func.count()).where(
        column.workspace == workspace, column.filed_at > since, column.is_imported.is_(False)
    )
    return int(tx.execute(query).scalar_one())


def has_any(tx: Transaction, workspace: WorkspaceId) -> bool:
    """Whether anything was ever filed in the workspace."""
    column = schema.hypotheses.c
    return tx.execute(select(column.number).where(column.workspace == workspace).limit(1)).first() is not None


def endings(
    tx: Transaction, workspace: WorkspaceId, numbers: Sequence[HypothesisNumber]
) -> dict[HypothesisNumber, Ending]:
    """Return how those of these hypotheses ended that are closed."""
    column = schema.hypotheses.c
    query = select(column.number, column.ending).where(
        column.workspace == workspace, column.number.in_(numbers), column.ended_at.is_not(None)
    )
    return {HypothesisNumber(number): ending for number, ending in tx.execute(query)}


def last_filed_at(
    tx: Transaction, workspace: WorkspaceId, channels: Collection[ChannelId]
) -> dict[ChannelId, datetime]:
    """Return when the newest hypothesis of each of these channels was filed."""
    column = schema.hypotheses.c
    query = select(column.channel, func.max(column.filed_at)).where(
        column.workspace == workspace, column.channel.in_(channels)
    )
    return {ChannelId(channel): at for channel, at in tx.execute(query.group_by(column.channel))}
