"""What an export holds: three sheets whose rows are what is stored, every reason with it; nothing is computed anew."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import Evidence, EvidenceSource
from labcoat.domain.experiment import Experiment
from labcoat.domain.history import HistoryEntry
from labcoat.domain.look import Look
from labcoat.domain.request import Request
from labcoat.stats.results import Estimate, Readout, Role, Verdict

Value = str | int | float | bool | datetime | None
Row = tuple[Value, ...]
FactsT = TypeVar("FactsT")

_BEGINS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_BETWEEN = " | "


class Cell(StrEnum):
    """What a column holds."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    TIME = "time"  # UTC


@dataclass(frozen=True)  # without slots: Generic writes to what it makes
class Column(Generic[FactsT]):
    """A column of a sheet, and how its value is found."""

    name: str
    cell: Cell
    value: Callable[[FactsT], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A hypothesis as it is exported: all that belongs to it, and the history entries that have a reason."""

    dossier: Dossier
    reasons: Sequence[HistoryEntry] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """An experiment as it is exported, with the newest readout that stands."""

    dossier: Dossier
    experiment: Experiment
    readout: Readout | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One treatment at one look; estimate: None where no effect may be read."""

    dossier: Dossier
    experiment: Experiment
    look: Look
    treatment: str
    estimate: Estimate | None


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: an apostrophe goes before what would begin one.

    >>> harmless("=HYPERLINK(1)"), harmless("-5 %"), harmless("5 - 3")
    ("'=HYPERLINK(1)", "'-5 %", '5 - 3')
    """
    return f"'{text}" if text.startswith(_BEGINS_A_FORMULA) else text


def treatments_of(dossier: Dossier, experiment: Experiment, look: Look) -> Iterator[Seen]:
    """Return the rows of a look: one a metric and treatment, or one a treatment where no effects may be read."""
    readout = look.readout
    is_shown = readout is not None and readout.verdict not in (Verdict.INVALID, Verdict.DATA_ERROR)
    estimates = readout.estimates if readout is not None and is_shown else ()
    for treatment in experiment.plan.variant_names[1:]:
        mine: list[Estimate | None] = [one for one in estimates if one.treatment == treatment]
        for estimate in mine or [None]:
            yield Seen(dossier=dossier, experiment=experiment, look=look, treatment=treatment, estimate=estimate)


def _approved(told: Told) -> Request | None:
    requests = told.dossier.requests
    return requests[-1] if requests else None


def _of_request(value: Callable[[Request], Value]) -> Callable[[Told], Value]:
    def found(told: Told) -> Value:
        request = _approved(told)
        return None if request is None else value(request)

    return found


def _joined(parts: Iterator[str]) -> str | None:
    return _BETWEEN.join(" ".join(part.split()) for part in parts) or None


def _evidence(one: Evidence) -> str:
    link = f" ({one.link})" if one.link else ""
    return f"{one.kind.value}, n {one.count}: {one.summary}{link}"


def _reason(entry: HistoryEntry) -> str:
    return f"{entry.at:%Y-%m-%d} {entry.step.value}: {entry.reason}"


def _count(told: Told, source: EvidenceSource) -> int:
    return sum(one.kind.source is source for one in told.dossier.evidence)


def _amount(amount: Amount | None) -> str | None:
    if amount is None:
        return None
    return f"{100 * amount.size:.6g} % of the baseline" if amount.is_relative else f"{amount.size:.6g}"


def _metrics(tested: Tested, role: Role) -> str | None:
    return _joined(
        f"{one.name} ({one.kind.value}, {one.direction.value}"
        + (f", margin {_amount(one.margin)}" if one.margin else "")
        + ")"
        for one in tested.experiment.plan.metrics
        if one.role is role
    )


def _id(kind: str, number: int | None) -> str | None:
    return None if number is None else f"{kind}-{number}"


_H = Column[Told]
HYPOTHESES: tuple[Column[Told], ...] = (
    _H("hypothesis", Cell.TEXT, lambda t: _id("H", t.dossier.hypothesis.number)),
    _H("channel", Cell.TEXT, lambda t: t.dossier.hypothesis.channel),
    _H("stage", Cell.TEXT, lambda t: t.dossier.hypothesis.stage.value),
    _H("stage_since", Cell.TIME, lambda t: t.dossier.hypothesis.stage_since),
    _H("is_open", Cell.FLAG, lambda t: t.dossier.hypothesis.is_open),
    _H("change", Cell.TEXT, lambda t: t.dossier.hypothesis.change),
    _H("metric", Cell.TEXT, lambda t: t.dossier.hypothesis.metric),
    _H("direction", Cell.TEXT, lambda t: t.dossier.hypothesis.direction.value),
    _H("because", Cell.TEXT, lambda t: t.dossier.hypothesis.because),
    _H("smallest_effect", Cell.TEXT, lambda t: t.dossier.hypothesis.smallest_effect),
    _H("refuted_by", Cell.TEXT, lambda t: t.dossier.hypothesis.refuted_by),
    _H("different_because", Cell.TEXT, lambda t: t.dossier.hypothesis.different_because),
    _H("tags", Cell.TEXT, lambda t: ", ".join(t.dossier.hypothesis.tags)),
    _H("owner", Cell.TEXT, lambda t: t.dossier.hypothesis.owner),
    _H("deputy", Cell.TEXT, lambda t: t.dossier.hypothesis.deputy),
    _H("filed_by", Cell.TEXT, lambda t: t.dossier.hypothesis.filed_by),
    _H("filed_at", Cell.TIME, lambda t: t.dossier.hypothesis.filed_at),
    _H("is_imported", Cell.FLAG, lambda t: t.dossier.hypothesis.is_imported),
    _H("replaces", Cell.TEXT, lambda t: _id("H", t.dossier.hypothesis.replaces)),
    _H("prototypes", Cell.WHOLE, lambda t: len(t.dossier.prototypes)),
    _H("prototype_cap_days", Cell.NUMBER, lambda t: sum(one.cap_days for one in t.dossier.prototypes)),
    _H("prototype_spent_days", Cell.NUMBER, lambda t: sum(one.spent_days for one in t.dossier.prototypes)),
    _H("evidence_from_users", Cell.WHOLE, lambda t: _count(t, EvidenceSource.USERS)),
    _H("evidence_from_data", Cell.WHOLE, lambda t: _count(t, EvidenceSource.DATA)),
    _H("evidence", Cell.TEXT, lambda t: _joined(_evidence(one) for one in t.dossier.evidence)),
    _H("needs", Cell.TEXT, lambda t: _joined(one.summary for one in t.dossier.needs)),
    _H("request", Cell.TEXT, _of_request(lambda r: r.state.value)),
    _H("request_asked_by", Cell.TEXT, _of_request(lambda r: r.asked_by)),
    _H("request_asked_at", Cell.TIME, _of_request(lambda r: r.asked_at)),
    _H("request_days", Cell.NUMBER, _of_request(lambda r: r.amount_days)),
    _H("request_verdict", Cell.TEXT, _of_request(lambda r: r.verdict.value if r.verdict else None)),
    _H("no_experiment_because", Cell.TEXT, _of_request(lambda r: _no_experiment(r))),
    _H("decided_by", Cell.TEXT, _of_request(lambda r: r.decided_by)),
    _H("decided_at", Cell.TIME, _of_request(lambda r: r.decided_at)),
    _H("decided_because", Cell.TEXT, _of_request(lambda r: r.answer)),
    _H("is_member_confirmation", Cell.FLAG, _of_request(lambda r: r.is_member_confirmation)),
    _H("is_self_release", Cell.FLAG, _of_request(lambda r: r.is_self_release)),
    _H("outcome", Cell.TEXT, lambda t: _ended(t, "outcome")),
    _H("decision", Cell.TEXT, lambda t: _ended(t, "decision")),
    _H("learning", Cell.TEXT, lambda t: _ended(t, "learning")),
    _H("days_spent", Cell.NUMBER, lambda t: _ended(t, "days_spent")),
    _H("against_the_verdict_because", Cell.TEXT, lambda t: _ended(t, "overrides")),
    _H("closed_by", Cell.TEXT, lambda t: _ended(t, "by")),
    _H("closed_at", Cell.TIME, lambda t: _ended(t, "at")),
    _H("replaced_by", Cell.TEXT, lambda t: _replaced_by(t)),
    _H("link", Cell.TEXT, lambda t: _ended(t, "link")),
    _H("reasons", Cell.TEXT, lambda t: _joined(_reason(one) for one in t.reasons)),
)
"""A row a hypothesis. Of several requests, the newest."""


def _no_experiment(request: Request) -> str | None:
    if request.no_experiment_reason is None:
        return None
    note = f": {request.no_experiment_note}" if request.no_experiment_note else ""
    return f"{request.no_experiment_reason.value}{note}"


def _ended(told: Told, name: str) -> Value:
    ending = told.dossier.hypothesis.ending
    value: Value = None if ending is None else getattr(ending, name)
    return value.value if isinstance(value, StrEnum) else value


def _replaced_by(told: Told) -> str | None:
    ending = told.dossier.hypothesis.ending
    return _id("H", ending.replaced_by) if ending else None


_E = Column[Tested]
EXPERIMENTS: tuple[Column[Tested], ...] = (
    _E("experiment", Cell.TEXT, lambda t: _id("E", t.experiment.number)),
    _E("hypothesis", Cell.TEXT, lambda t: _id("H", t.dossier.hypothesis.number)),
    _E("state", Cell.TEXT, lambda t: t.experiment.state.value),
    _E(
        "variants", Cell.TEXT, lambda t: ", ".join(f"{one.name} {one.weight:.6g}" for one in t.experiment.plan.variants)
    ),
    _E("unit", Cell.TEXT, lambda t: t.experiment.plan.unit),
    _E("goals", Cell.TEXT, lambda t: _metrics(t, Role.GOAL)),
    _E("minimum_effect", Cell.TEXT, lambda t: _amount(t.experiment.plan.goal.minimum_effect)),
    _E("baseline", Cell.NUMBER, lambda t: t.experiment.plan.goal.baseline),
    _E("guardrails", Cell.TEXT, lambda t: _metrics(t, Role.GUARDRAIL)),
    _E("secondary", Cell.TEXT, lambda t: _metrics(t, Role.SECONDARY)),
    _E("design", Cell.TEXT, lambda t: t.experiment.plan.design.value),
    _E("source", Cell.TEXT, lambda t: t.experiment.plan.source.value),
    _E("alpha", Cell.NUMBER, lambda t: t.experiment.plan.alpha),
    _E("power", Cell.NUMBER, lambda t: t.experiment.plan.power),
    _E("planned_days", Cell.NUMBER, lambda t: t.experiment.plan.planned_days),
    _E("planned_units", Cell.WHOLE, lambda t: t.experiment.plan.planned_units),
    _E("window_days", Cell.NUMBER, lambda t: t.experiment.plan.window_days),
    _E("planned_by", Cell.TEXT, lambda t: t.experiment.planned_by),
    _E("planned_at", Cell.TIME, lambda t: t.experiment.planned_at),
    _E("since", Cell.TIME, lambda t: t.experiment.since),
    _E("started_at", Cell.TIME, lambda t: t.experiment.started_at),
    _E("is_registered_late", Cell.FLAG, lambda t: t.experiment.is_registered_late),
    _E("planned_end", Cell.TIME, lambda t: t.experiment.planned_end),
    _E("ended_at", Cell.TIME, lambda t: t.experiment.ended_at),
    _E("stopped_at", Cell.TIME, lambda t: t.experiment.stopped_at),
    _E("no_prototype_because", Cell.TEXT, lambda t: t.experiment.skip_reason),
    _E("no_user_feedback_because", Cell.TEXT, lambda t: t.experiment.no_feedback_reason),
    _E("stopped_because", Cell.TEXT, lambda t: t.experiment.stop_reason),
    _E("dropped", Cell.TEXT, lambda t: _joined(one.treatment for one in t.experiment.dropped)),
    _E("dropped_because", Cell.TEXT, lambda t: _joined(one.reason for one in t.experiment.dropped)),
    _E("cause_fixed_at", Cell.TIME, lambda t: t.experiment.fixed_cause.since if t.experiment.fixed_cause else None),
    _E(
        "cause_fixed_because",
        Cell.TEXT,
        lambda t: t.experiment.fixed_cause.reason if t.experiment.fixed_cause else None,
    ),
    _E("cancelled_because", Cell.TEXT, lambda t: t.experiment.cancel_reason),
    _E("verdict", Cell.TEXT, lambda t: t.readout.verdict.value if t.readout else None),
    _E("verdict_is_final", Cell.FLAG, lambda t: t.readout.is_decided if t.readout else None),
)
"""A row an experiment, drafts and cancelled ones too."""


def _read(value: Callable[[Readout], Value]) -> Callable[[Seen], Value]:
    return lambda seen: None if seen.look.readout is None else value(seen.look.readout)


def _estimated(value: Callable[[Estimate], Value]) -> Callable[[Seen], Value]:
    return lambda seen: None if seen.estimate is None else value(seen.estimate)


def _units(seen: Seen, variant: str) -> int:
    return seen.look.sample.exposed[seen.experiment.plan.variant_names.index(variant)]


def _findings(readout: Readout) -> str | None:
    return _joined(
        f"{one.finding.value}"
        + (f": {one.metric}" if one.metric else "")
        + (f", {one.treatment}" if one.treatment else "")
        for one in readout.reasons
    )


_R = Column[Seen]
READOUTS: tuple[Column[Seen], ...] = (
    _R("experiment", Cell.TEXT, lambda s: _id("E", s.experiment.number)),
    _R("hypothesis", Cell.TEXT, lambda s: _id("H", s.dossier.hypothesis.number)),
    _R("slot", Cell.TIME, lambda s: s.look.slot),
    _R("as_of", Cell.TIME, lambda s: s.look.as_of),
    _R("made_at", Cell.TIME, lambda s: s.look.made_at),
    _R("look", Cell.WHOLE, _read(lambda r: r.look)),
    _R("no_look_because", Cell.TEXT, lambda s: s.look.no_look.value if s.look.no_look else None),
    _R("day", Cell.NUMBER, _read(lambda r: r.day)),
    _R("spent", Cell.NUMBER, _read(lambda r: r.spent)),
    _R("is_final", Cell.FLAG, _read(lambda r: r.is_final)),
    _R("is_after_final", Cell.FLAG, _read(lambda r: r.is_after_final)),
    _R("is_superseded", Cell.FLAG, lambda s: s.look.is_superseded),
    _R("verdict", Cell.TEXT, _read(lambda r: r.verdict.value)),
    _R("verdict_because", Cell.TEXT, _read(_findings)),
    _R("split_p_value", Cell.NUMBER, _read(lambda r: r.sample_ratio.p_value)),
    _R("treatment", Cell.TEXT, lambda s: s.treatment),
    _R("control_units", Cell.WHOLE, lambda s: _units(s, s.experiment.plan.variant_names[0])),
    _R("treatment_units", Cell.WHOLE, lambda s: _units(s, s.treatment)),
    _R("metric", Cell.TEXT, _estimated(lambda e: e.metric)),
    _R("role", Cell.TEXT, _estimated(lambda e: e.role.value)),
    _R("kind", Cell.TEXT, _estimated(lambda e: e.kind.value)),
    _R("control_count", Cell.WHOLE, _estimated(lambda e: e.control_count)),
    _R("treatment_count", Cell.WHOLE, _estimated(lambda e: e.treatment_count)),
    _R("control_mean", Cell.NUMBER, _estimated(lambda e: e.control_mean)),
    _R("treatment_mean", Cell.NUMBER, _estimated(lambda e: e.treatment_mean)),
    _R("difference", Cell.NUMBER, _estimated(lambda e: e.difference)),
    _R("difference_low", Cell.NUMBER, _estimated(lambda e: e.low)),
    _R("difference_high", Cell.NUMBER, _estimated(lambda e: e.high)),
    _R("lift", Cell.NUMBER, _estimated(lambda e: e.lift)),
    _R("lift_low", Cell.NUMBER, _estimated(lambda e: e.lift_low)),
    _R("lift_high", Cell.NUMBER, _estimated(lambda e: e.lift_high)),
    _R("standard_error", Cell.NUMBER, _estimated(lambda e: e.standard_error)),
    _R("multiplier", Cell.NUMBER, _estimated(lambda e: e.multiplier)),
    _R("p_value", Cell.NUMBER, _estimated(lambda e: e.p_value)),
    _R("is_approximate", Cell.FLAG, _estimated(lambda e: e.is_approximate)),
    _R("no_number_because", Cell.TEXT, _estimated(lambda e: e.missing.value if e.missing else None)),
)
"""A row a look, metric and treatment, as it was stored."""

SHEETS: Mapping[str, tuple[tuple[str, Cell], ...]] = {
    "hypotheses": tuple((one.name, one.cell) for one in HYPOTHESES),
    "experiments": tuple((one.name, one.cell) for one in EXPERIMENTS),
    "readouts": tuple((one.name, one.cell) for one in READOUTS),
}
"""The sheets of an export with their columns."""


def row(columns: Sequence[Column[FactsT]], facts: FactsT) -> Row:
    """Return one row; texts are harmless in a spreadsheet, and an empty one is nothing."""
    values = (column.value(facts) for column in columns)
    return tuple((harmless(value) or None) if isinstance(value, str) else value for value in values)
