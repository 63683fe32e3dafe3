"""Hypotheses with all that belongs to them, read: one by a single statement, many by one for each table.

A click waits for one answer, not for six; rows of many would be wide and mostly empty.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    Table,
    and_,
    bindparam,
    cast,
    exists,
    literal,
    null,
    select,
    union_all,
)

from labcoat.db.database import Transaction
from labcoat.db.mapping import from_row
from labcoat.db.tables import schema
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import Evidence
from labcoat.domain.experiment import Experiment
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.need import Need
from labcoat.domain.prototype import Prototype
from labcoat.domain.request import Request

CHILDREN: tuple[tuple[str, type[Any], Table, str], ...] = (
    ("experiments", Experiment, schema.experiments, "number"),
    ("prototypes", Prototype, schema.prototypes, "position"),
    ("evidence", Evidence, schema.evidence, "position"),
    ("requests", Request, schema.requests, "position"),
    ("needs", Need, schema.needs, "position"),
)
_PARTS: tuple[tuple[str, type[Any], Table, str], ...] = (
    ("hypothesis", Hypothesis, schema.hypotheses, "number"),
    *CHILDREN,
)
_WORKSPACE: BindParameter[str] = bindparam("workspace")
_NUMBER: BindParameter[int] = bindparam("number")


def _names(shape: type[Any], table: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(shape) if field.name in table.columns)


_COLUMNS = tuple((word, table.c[name]) for word, shape, table, _ in _PARTS for name in _names(shape, table))
_OFFSETS = {
    word: tuple((place, column.name) for place, (of, column) in enumerate(_COLUMNS, start=1) if of == word)
    for word, *_ in _PARTS
}


def _statement(number: Any) -> CompoundSelect[Any]:
    """Return all parts one below the other; columns of other parts are empty, and typed as those that have them."""
    return union_all(*(_part(word, table, number) for word, _, table, _ in _PARTS))


def _part(word: str, table: Any, number: Any) -> Select[Any]:
    columns = [
        (column if of == word else cast(null(), column.type)).label(f"{of}_{column.name}") for of, column in _COLUMNS
    ]
    owner = table.c.number if word == "hypothesis" else table.c.hypothesis
    return select(literal(word).label("part"), *columns).where(table.c.workspace == _WORKSPACE, owner == number)


_NUMBERS: BindParameter[int] = bindparam("numbers", expanding=True)


def _has(child: Table) -> ColumnElement[bool]:
    mine = and_(child.c.workspace == schema.hypotheses.c.workspace, child.c.hypothesis == schema.hypotheses.c.number)
    return exists().where(mine).label(f"has_{child.name}")


# Made once: every click reads a dossier, and to build a statement takes longer than SQLite takes to answer it.
_HYPOTHESES = (
    select(schema.hypotheses, *(_has(child) for _, _, child, _ in CHILDREN))
    .where(schema.hypotheses.c.workspace == _WORKSPACE, schema.hypotheses.c.number.in_(_NUMBERS))
    .order_by(schema.hypotheses.c.number)
)
_OF_HYPOTHESES = {
    word: select(child).where(child.c.workspace == _WORKSPACE, child.c.hypothesis.in_(_NUMBERS))
    for word, _, child, _ in CHILDREN
}

_OF_HYPOTHESIS = _statement(_NUMBER)
_OF_EXPERIMENT = _statement(
    select(schema.experiments.c.hypothesis)
    .where(schema.experiments.c.workspace == _WORKSPACE, schema.experiments.c.number == _NUMBER)
    .scalar_subquery()
)


def find(tx: Transaction, workspace: str, number: int, *, is_experiment: bool = False) -> Dossier | None:
    """Return the hypothesis of this number, or the one that the experiment of this number tests."""
    rows = tx.execute(_OF_EXPERIMENT if is_experiment else _OF_HYPOTHESIS, {"workspace": workspace, "number": number})
    parts: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        parts[row[0]].append({name: row[place] for place, name in _OFFSETS[row[0]]})
    if not parts:
        return None
    values = {
        word: tuple(shape(**one) for one in sorted(parts[word], key=itemgetter(key)))
        for word, shape, _, key in CHILDREN
    }
    (hypothesis,) = parts["hypothesis"]
    return Dossier(hypothesis=Hypothesis(**hypothesis), **values)


def read_many(tx: Transaction, workspace: WorkspaceId, numbers: Sequence[HypothesisNumber]) -> list[Dossier]:
    """Return the hypotheses of these numbers that exist, by number, with one query for each table that has any."""
    if not numbers:
        return []
    asked = {"workspace": workspace, "numbers": numbers}
    found = tx.execute(_HYPOTHESES, asked).mappings().all()
    dossiers: dict[int, dict[str, Any]] = {
        row["number"]: {"hypothesis": from_row(Hypothesis, schema.hypotheses, row)} for row in found
    }
    for word, shape, child, key in CHILDREN:
        if any(row[f"has_{child.name}"] for row in found):
            # In order here: to get experiments by number SQLite would read all of the workspace.
            rows = sorted(tx.execute(_OF_HYPOTHESES[word], asked).mappings(), key=itemgetter(key))
            for row in rows:
                dossiers[row["hypothesis"]].setdefault(word, []).append(from_row(shape, child, row))
    return [Dossier(**{word: _frozen(value) for word, value in parts.items()}) for parts in dossiers.values()]


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
