"""Looks and typed totals: written once, read back as values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import JSON, ColumnElement, Subquery, and_, delete, func, insert, select, type_coerce, update

from labcoat.db import tables
from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.look import Entry, Look, SourceProblem
from labcoat.stats.results import Readout, Sample, Verdict


def add(tx: Transaction, workspace: WorkspaceId, look: Look) -> None:
    """Store a look; the slot must be free."""
    tx.execute(insert(tables.looks).values(workspace=workspace, **to_row(look, tables.looks)))


def has_slot(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, slot: datetime) -> bool:
    """Whether the slot of this experiment is taken."""
    column = tables.looks.c
    query = select(column.slot).where(column.workspace == workspace, column.experiment == number, column.slot == slot)
    return tx.execute(query).first() is not None


def get(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, slot: datetime) -> Look:
    """Return the look of a slot, also one that is superseded."""
    table = tables.looks
    query = select(table).where(table.c.workspace == workspace, table.c.experiment == number, table.c.slot == slot)
    return from_row(Look, table, tx.execute(query).mappings().one())


def list_of(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> list[Look]:
    """Return the looks of an experiment that stand, oldest first, with and without a readout."""
    table = tables.looks
    query = select(table).where(
        table.c.workspace == workspace, table.c.experiment == number, table.c.is_superseded.is_(False)
    )
    return [from_row(Look, table, row) for row in tx.execute(query.order_by(table.c.slot)).mappings()]


def newest(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Look | None:
    """Return the newest look with a readout that stands."""
    table = tables.looks
    query = (
        select(table)
        .where(
            table.c.workspace == workspace,
            table.c.experiment == number,
            table.c.is_superseded.is_(False),
            table.c.no_look.is_(None),
        )
        .order_by(table.c.slot.desc())
        .limit(1)
    )
    row = tx.execute(query).mappings().first()
    return None if row is None else from_row(Look, table, row)


def newest_sample(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Sample | None:
    """Return what the newest look saw, also one without a readout; None before the first."""
    column = tables.looks.c
    query = select(column.sample).where(column.workspace == workspace, column.experiment == number)
    sample: Sample | None = tx.execute(query.order_by(column.slot.desc()).limit(1)).scalar_one_or_none()
    return sample


def verdicts_before(
    tx: Transaction, workspace: WorkspaceId, made_before: Mapping[ExperimentNumber, datetime]
) -> dict[ExperimentNumber, Verdict]:
    """Return the verdict of the newest look that stood at each experiment's moment, where there was one."""
    column = tables.looks.c
    readout = type_coerce(column.readout, JSON)  # plain: only its verdict is read
    found: dict[ExperimentNumber, Verdict] = {}
    for moment in set(made_before.values()):
        numbers = [number for number, before in made_before.items() if before == moment]
        slots = _newest_slots(_stands(workspace, numbers), column.made_at <= moment)
        rows = tx.execute(
            select(column.experiment, readout).join(slots, _at(slots)).where(column.workspace == workspace)
        )
        found |= {ExperimentNumber(number): Verdict(said["verdict"]) for number, said in rows}
    return found


def newest_many(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[ExperimentNumber]
) -> dict[ExperimentNumber, Look]:
    """Return the newest look with a readout that stands of each of these experiments that has one."""
    table = tables.looks
    slots = _newest_slots(_stands(workspace, numbers))
    rows = tx.execute(select(table).join(slots, _at(slots)).where(table.c.workspace == workspace)).mappings()
    return {ExperimentNumber(row["experiment"]): from_row(Look, table, row) for row in rows}


def newest_of(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[ExperimentNumber]
) -> dict[ExperimentNumber, Readout]:
    """Return the newest readout that stands of each of these experiments that has one."""
    column = tables.looks.c
    slots = _newest_slots(_stands(workspace, numbers))
    rows = tx.execute(
        select(column.experiment, column.readout).join(slots, _at(slots)).where(column.workspace == workspace)
    )
    return {ExperimentNumber(number): readout for number, readout in rows if readout is not None}


def _stands(workspace: WorkspaceId, numbers: Collection[ExperimentNumber]) -> ColumnElement[bool]:
    column = tables.looks.c
    return and_(
        column.workspace == workspace,
        column.experiment.in_(numbers),
        column.is_superseded.is_(False),
        column.no_look.is_(None),
    )


def _newest_slots(*where: ColumnElement[bool]) -> Subquery:
    column = tables.looks.c
    newest = select(column.experiment, func.max(column.slot).label("slot")).where(*where)
    return newest.group_by(column.experiment).subquery()


def _at(slots: Subquery) -> ColumnElement[bool]:
    column = tables.looks.c
    return and_(slots.c.experiment == column.experiment, slots.c.slot == column.slot)


def supersede(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, slots: Collection[datetime]) -> None:
    """Mark the looks of these slots as resting on numbers that were corrected."""
    column = tables.looks.c
    wrong = update(tables.looks).where(
        column.workspace == workspace, column.experiment == number, column.slot.in_(slots)
    )
    tx.execute(wrong.values(is_superseded=True))


def schedule(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, at: datetime | None) -> None:
    """Set when the next look is due, in business time; None while no look is to come."""
    column = tables.experiments.c
    one = update(tables.experiments).where(column.workspace == workspace, column.number == number)
    tx.execute(one.values(next_look_at=at))


def is_scheduled(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Whether a look of this experiment is still to come."""
    column = tables.experiments.c
    query = select(column.next_look_at).where(column.workspace == workspace, column.number == number)
    return tx.execute(query).scalar_one() is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An experiment whose next look is due, and since when."""

    workspace: WorkspaceId
    hypothesis: HypothesisNumber
    number: ExperimentNumber
    next_look_at: datetime


def due(tx: Transaction, now: datetime) -> list[Due]:
    """Return, over all workspaces, the experiments whose next look is due."""
    table = tables.experiments
    query = select(table).where(table.c.next_look_at <= now).order_by(table.c.next_look_at)
    return [from_row(Due, table, row) for row in tx.execute(query).mappings()]


def take(
    tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, *, due_at: datetime, then: datetime | None
) -> bool:
    """Take a due look and set when the next one is; return False if somebody took it, or a stop came between."""
    column = tables.experiments.c
    one = update(tables.experiments).where(
        column.workspace == workspace, column.number == number, column.next_look_at == due_at
    )
    return tx.execute(one.values(next_look_at=then)).rowcount == 1


def hold(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> None:
    """Keep others from adding totals to this experiment until the transaction ends: each is compared with the last."""
    column = tables.experiments.c
    query = select(column.number).where(column.workspace == workspace, column.number == number)
    tx.execute(query.with_for_update())


def add_entry(tx: Transaction, workspace: WorkspaceId, entry: Entry) -> None:
    """Store typed totals; earlier ones stay."""
    tx.execute(insert(tables.entries).values(workspace=workspace, **to_row(entry, tables.entries)))


def newest_entries(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> dict[str, Entry]:
    """Return the newest typed totals of each metric."""
    table = tables.entries
    query = select(table).where(table.c.workspace == workspace, table.c.experiment == number).order_by(table.c.id)
    return {row["metric"]: from_row(Entry, table, row) for row in tx.execute(query).mappings()}


def set_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, problem: SourceProblem) -> None:
    """Remember why an experiment's numbers could not be read."""
    clear_problem(tx, workspace, number)
    row = to_row(problem, tables.source_problems)
    tx.execute(insert(tables.source_problems).values(workspace=workspace, experiment=number, **row))


def clear_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Forget an experiment's problem; return whether there was one."""
    column = tables.source_problems.c
    old = delete(tables.source_problems).where(column.workspace == workspace, column.experiment == number)
    return tx.execute(old).rowcount > 0


def find_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> SourceProblem | None:
    """Return why an experiment's numbers cannot be read now."""
    table = tables.source_problems
    query = select(table).where(table.c.workspace == workspace, table.c.experiment == number)
    row = tx.execute(query).mappings().first()
    return None if row is None else from_row(SourceProblem, table, row)


def find_problems(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[ExperimentNumber]
) -> dict[ExperimentNumber, SourceProblem]:
    """Return why the numbers of those of these experiments cannot be read now that have a problem."""
    table = tables.source_problems
    query = select(table).where(table.c.workspace == workspace, table.c.experiment.in_(numbers))
    rows = tx.execute(query).mappings()
    return {ExperimentNumber(row["experiment"]): from_row(SourceProblem, table, row) for row in rows}
