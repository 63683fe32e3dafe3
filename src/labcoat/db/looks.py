"""Looks and typed totals: written once, read back as values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    type_coerce,
    update,
)

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row, to_row
from labcoat.db.tables import schema
from labcoat.domain import correcting
from labcoat.domain.experiment import Experiment
from labcoat.domain.findings import Findings
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.look import Entry, Look, SourceProblem
from labcoat.domain.verdicts import Called
from labcoat.stats.results import Readout, Verdict
from labcoat.stats.rule import Sample

_WORKSPACE: BindParameter[str] = bindparam("workspace")
_EXPERIMENT: BindParameter[int] = bindparam("experiment")


def _of(table: Table) -> ColumnElement[bool]:
    return and_(table.c.workspace == _WORKSPACE, table.c.experiment == _EXPERIMENT)


# Made once: every result that is shown asks these, and to build a statement takes longer than to answer it.
_ADD, _ADD_ENTRY = insert(schema.looks), insert(schema.entries)
_SLOT = select(schema.looks.c.slot).where(_of(schema.looks), schema.looks.c.slot == bindparam("slot"))
_STANDING = select(schema.looks).where(_of(schema.looks), schema.looks.c.is_superseded.is_(False))
_ALL = _STANDING.order_by(schema.looks.c.slot)
_NEWEST = _STANDING.order_by(schema.looks.c.slot.desc()).limit(1)
_NEWEST_READ = _NEWEST.where(schema.looks.c.no_look.is_(None))
_READOUTS = (
    select(schema.looks.c.readout)
    .where(_of(schema.looks), schema.looks.c.is_superseded.is_(False), schema.looks.c.no_look.is_(None))
    .order_by(schema.looks.c.slot)
)
_DEFINITIONS = (
    select(schema.looks.c.definitions)
    .where(_of(schema.looks), schema.looks.c.is_superseded.is_(False), schema.looks.c.definitions.is_not(None))
    .order_by(schema.looks.c.slot.desc())
    .limit(2)
)
_FINDINGS = (
    select(schema.looks.c.findings)
    .where(
        _of(schema.looks),
        schema.looks.c.is_superseded.is_(False),
        schema.looks.c.findings.is_not(None),
        schema.looks.c.made_at > bindparam("after"),
    )
    .order_by(schema.looks.c.slot.desc())
    .limit(1)
)
_HOLD = (
    select(schema.experiments.c.number)
    .where(schema.experiments.c.workspace == _WORKSPACE, schema.experiments.c.number == _EXPERIMENT)
    .with_for_update()
)
_NEWEST_OF_METRICS = select(func.max(schema.entries.c.id)).where(_of(schema.entries)).group_by(schema.entries.c.metric)
_NEWEST_ENTRIES = (
    select(schema.entries).where(schema.entries.c.id.in_(_NEWEST_OF_METRICS)).order_by(schema.entries.c.id)
)
_ALL_ENTRIES = select(schema.entries).where(_of(schema.entries)).order_by(schema.entries.c.id)
_CORRECTED_AT = select(func.max(schema.entries.c.sent_at)).where(
    _of(schema.entries), schema.entries.c.wrong_since.is_not(None)
)
_PROBLEM = select(schema.source_problems).where(_of(schema.source_problems))


def add(tx: Transaction, workspace: WorkspaceId, look: Look) -> None:
    """Store a look; the slot must be free."""
    tx.execute(_ADD, {"workspace": workspace, **to_row(look, schema.looks)})


def has_slot(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, slot: datetime) -> bool:
    """Whether the slot of this experiment is taken."""
    return tx.execute(_SLOT, {"workspace": workspace, "experiment": number, "slot": slot}).first() is not None


def get(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, slot: datetime) -> Look:
    """Return the look of a slot, also one that is superseded."""
    table = schema.looks
    query = select(table).where(table.c.workspace == workspace, table.c.experiment == number, table.c.slot == slot)
    return from_row(Look, table, tx.execute(query).mappings().one())


def list_of(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> list[Look]:
    """Return the looks of an experiment that stand, oldest first, with and without a readout."""
    found = tx.execute(_ALL, {"workspace": workspace, "experiment": number}).mappings()
    return [from_row(Look, schema.looks, row) for row in found]


def readouts(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> tuple[Readout, ...]:
    """Return the readouts of an experiment that stand, oldest first."""
    return tuple(tx.execute(_READOUTS, {"workspace": workspace, "experiment": number}).scalars())


def newest_data(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Look | None:
    """Return the newest look that stands, with or without a readout."""
    return _first(tx, _NEWEST, workspace, number)


def newest_definitions(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> list[Mapping[str, str]]:
    """Return how the metrics were defined at the newest two looks that say so, the newest first."""
    return list(tx.execute(_DEFINITIONS, {"workspace": workspace, "experiment": number}).scalars())


def findings(tx: Transaction, workspace: WorkspaceId, experiment: Experiment) -> Findings:
    """Return what the data of an experiment were found to be, since the cause of an uneven split was fixed."""
    fixed = experiment.fixed_cause
    after = fixed.recorded_at if fixed is not None else datetime(1970, 1, 1, tzinfo=UTC)
    values = {"workspace": workspace, "experiment": experiment.number, "after": after}
    found: Findings | None = tx.execute(_FINDINGS, values).scalar_one_or_none()
    return found or Findings()


def newest(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Look | None:
    """Return the newest look with a readout that stands."""
    return _first(tx, _NEWEST_READ, workspace, number)


def _first(tx: Transaction, query: Select[Any], workspace: WorkspaceId, number: ExperimentNumber) -> Look | None:
    row = tx.execute(query, {"workspace": workspace, "experiment": number}).mappings().first()
    return None if row is None else from_row(Look, schema.looks, row)


def newest_sample(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> Sample | None:
    """Return what the newest look saw, also one without a readout; None before the first."""
    column = schema.looks.c
    query = select(column.sample).where(column.workspace == workspace, column.experiment == number)
    sample: Sample | None = tx.execute(query.order_by(column.slot.desc()).limit(1)).scalar_one_or_none()
    return sample


def verdicts_before(
    tx: Transaction, workspace: WorkspaceId, made_before: Mapping[ExperimentNumber, datetime]
) -> dict[ExperimentNumber, Called]:
    """Return what the newest look called that stood at each experiment's moment, where there was one."""
    column = schema.looks.c
    readout = type_coerce(column.readout, JSON)  # plain: only its verdicts are read
    found: dict[ExperimentNumber, Called] = {}
    for moment in set(made_before.values()):
        numbers = [number for number, before in made_before.items() if before == moment]
        slots = _newest_slots(_stands(workspace, numbers), column.made_at <= moment)
        rows = tx.execute(
            select(column.experiment, readout).join(slots, _at(slots)).where(column.workspace == workspace)
        )
        found |= {ExperimentNumber(number): _called(said) for number, said in rows}
    return found


def _called(said: Mapping[str, Any]) -> Called:
    by_treatment = {one["treatment"]: Verdict(one["verdict"]) for one in said.get("treatments", ())}
    return Called(headline=Verdict(said["verdict"]), by_treatment=by_treatment)


def newest_many(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[ExperimentNumber]
) -> dict[ExperimentNumber, Look]:
    """Return the newest look with a readout that stands of each of these experiments that has one."""
    table = schema.looks
    slots = _newest_slots(_stands(workspace, numbers))
    rows = tx.execute(select(table).join(slots, _at(slots)).where(table.c.workspace == workspace)).mappings()
    return {ExperimentNumber(row["experiment"]): from_row(Look, table, row) for row in rows}


def newest_of(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[ExperimentNumber]
) -> dict[ExperimentNumber, Readout]:
    """Return the newest readout that stands of each of these experiments that has one."""
    column = schema.looks.c
    slots = _newest_slots(_stands(workspace, numbers))
    rows = tx.execute(
        select(column.experiment, column.readout).join(slots, _at(slots)).where(column.workspace == workspace)
    )
    return {ExperimentNumber(number): readout for number, readout in rows if readout is not None}


def _stands(workspace: WorkspaceId, numbers: Collection[ExperimentNumber]) -> ColumnElement[bool]:
    column = schema.looks.c
    return and_(
        column.workspace == workspace,
        column.experiment.in_(numbers),
        column.is_superseded.is_(False),
        column.no_look.is_(None),
    )


def _newest_slots(*where: ColumnElement[bool]) -> Subquery:
    column = schema.looks.c
    newest = select(column.experiment, func.max(column.slot).label("slot")).where(*where)
    return newest.group_by(column.experiment).subquery()


def _at(slots: Subquery) -> ColumnElement[bool]:
    column = schema.looks.c
    return and_(slots.c.experiment == column.experiment, slots.c.slot == column.slot)


def supersede(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, slots: Collection[datetime]) -> None:
    """Mark the looks of these slots as resting on numbers that were corrected."""
    column = schema.looks.c
    wrong = update(schema.looks).where(
        column.workspace == workspace, column.experiment == number, column.slot.in_(slots)
    )
    tx.execute(wrong.values(is_superseded=True))


def schedule(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, at: datetime | None) -> None:
    """Set when the next look is due, in business time; None while no look is to come."""
    column = schema.experiments.c
    one = update(schema.experiments).where(column.workspace == workspace, column.number == number)
    tx.execute(one.values(next_look_at=at))


def is_scheduled(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Whether a look of this experiment is still to come."""
    column = schema.experiments.c
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
    table = schema.experiments
    query = select(table).where(table.c.next_look_at <= now).order_by(table.c.next_look_at)
    return [from_row(Due, table, row) for row in tx.execute(query).mappings()]


def take(
    tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, *, due_at: datetime, then: datetime | None
) -> bool:
    """Take a due look and set when the next one is; return False if somebody took it, or a stop came between."""
    column = schema.experiments.c
    one = update(schema.experiments).where(
        column.workspace == workspace, column.number == number, column.next_look_at == due_at
    )
    return tx.execute(one.values(next_look_at=then)).rowcount == 1


def hold(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> None:
    """Keep others from adding totals to this experiment until the transaction ends: each is compared with the last."""
    tx.execute(_HOLD, {"workspace": workspace, "experiment": number})


def add_entry(tx: Transaction, workspace: WorkspaceId, entry: Entry) -> None:
    """Store typed totals; earlier ones stay."""
    tx.execute(_ADD_ENTRY, {"workspace": workspace, **to_row(entry, schema.entries)})


def newest_entries(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> dict[str, Entry]:
    """Return the newest typed totals of each metric."""
    found = tx.execute(_NEWEST_ENTRIES, {"workspace": workspace, "experiment": number}).mappings()
    return {row["metric"]: from_row(Entry, schema.entries, row) for row in found}


def standing_entries(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> dict[str, tuple[Entry, ...]]:
    """Return the typed totals of each metric that no correction replaced, oldest first."""
    came: dict[str, list[Entry]] = {}
    for row in tx.execute(_ALL_ENTRIES, {"workspace": workspace, "experiment": number}).mappings():
        came.setdefault(row["metric"], []).append(from_row(Entry, schema.entries, row))
    return {metric: correcting.standing(entries) for metric, entries in came.items()}


def corrected_at(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> datetime | None:
    """Return when typed totals of this experiment were corrected last, None for never."""
    at: datetime | None = tx.execute(_CORRECTED_AT, {"workspace": workspace, "experiment": number}).scalar_one()
    return at


def set_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber, problem: SourceProblem) -> None:
    """Remember why an experiment's numbers could not be read."""
    clear_problem(tx, workspace, number)
    row = to_row(problem, schema.source_problems)
    tx.execute(insert(schema.source_problems).values(workspace=workspace, experiment=number, **row))


def clear_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> bool:
    """Forget an experiment's problem; return whether there was one."""
    column = schema.source_problems.c
    old = delete(schema.source_problems).where(column.workspace == workspace, column.experiment == number)
    return tx.execute(old).rowcount > 0


def find_problem(tx: Transaction, workspace: WorkspaceId, number: ExperimentNumber) -> SourceProblem | None:
    """Return why an experiment's numbers cannot be read now."""
    row = tx.execute(_PROBLEM, {"workspace": workspace, "experiment": number}).mappings().first()
    return None if row is None else from_row(SourceProblem, schema.source_problems, row)


def find_problems(
    tx: Transaction, workspace: WorkspaceId, numbers: Collection[ExperimentNumber]
) -> dict[ExperimentNumber, SourceProblem]:
    """Return why the numbers of those of these experiments cannot be read now that have a problem."""
    table = schema.source_problems
    query = select(table).where(table.c.workspace == workspace, table.c.experiment.in_(numbers))
    rows = tx.execute(query).mappings()
    return {ExperimentNumber(row["experiment"]): from_row(SourceProblem, table, row) for row in rows}
