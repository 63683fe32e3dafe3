"""What an export holds: three sheets whose rows are what is stored, every reason with it; nothing is computed anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import Evidence, EvidenceSource
from labcoat.domain.experiment import Experiment
from labcoat.domain.export_columns import Cell, Column, Value, identifier, joined
from labcoat.domain.export_readouts import READOUTS
from labcoat.domain.history import HistoryEntry
from labcoat.domain.request import Request
from labcoat.domain.verdicts import deciding, leading
from labcoat.stats.results import Readout
from labcoat.stats.rule import Role


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


def _approved(told: Told) -> Request | None:
    requests = told.dossier.requests
    return requests[-1] if requests else None


def _of_request(value: Callable[[Request], Value]) -> Callable[[Told], Value]:
    def found(told: Told) -> Value:
        request = _approved(told)
        return None if request is None else value(request)

    return found


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
    return joined(
        f"{one.name} ({one.kind.value}, {one.direction.value}"
        + (f", margin {_amount(one.margin)}" if one.margin else "")
        + ")"
        for one in tested.experiment.plan.metrics
        if one.role is role
    )


_H = Column[Told]
HYPOTHESES: tuple[Column[Told], ...] = (
    _H("hypothesis", Cell.TEXT, lambda t: identifier("H", t.dossier.hypothesis.number)),
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
    _H("replaces", Cell.TEXT, lambda t: identifier("H", t.dossier.hypothesis.replaces)),
    _H("prototypes", Cell.WHOLE, lambda t: len(t.dossier.prototypes)),
    _H("prototype_cap_days", Cell.NUMBER, lambda t: sum(one.cap_days for one in t.dossier.prototypes)),
    _H("prototype_spent_days", Cell.NUMBER, lambda t: sum(one.spent_days for one in t.dossier.prototypes)),
    _H("evidence_from_users", Cell.WHOLE, lambda t: _count(t, EvidenceSource.USERS)),
    _H("evidence_from_data", Cell.WHOLE, lambda t: _count(t, EvidenceSource.DATA)),
    _H("evidence", Cell.TEXT, lambda t: joined(_evidence(one) for one in t.dossier.evidence)),
    _H("needs", Cell.TEXT, lambda t: joined(one.summary for one in t.dossier.needs)),
    _H("request", Cell.TEXT, _of_request(lambda r: r.state.value)),
    _H("request_asked_by", Cell.TEXT, _of_request(lambda r: r.asked_by)),
    _H("request_asked_at", Cell.TIME, _of_request(lambda r: r.asked_at)),
    _H("request_days", Cell.NUMBER, _of_request(lambda r: r.amount_days)),
    _H("request_treatment", Cell.TEXT, _of_request(lambda r: r.treatment)),
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
    _H("shipped_treatment", Cell.TEXT, lambda t: _ended(t, "treatment")),
    _H("link", Cell.TEXT, lambda t: _ended(t, "link")),
    _H("reasons", Cell.TEXT, lambda t: joined(_reason(one) for one in t.reasons)),
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
    return identifier("H", ending.replaced_by) if ending else None


_E = Column[Tested]
EXPERIMENTS: tuple[Column[Tested], ...] = (
    _E("experiment", Cell.TEXT, lambda t: identifier("E", t.experiment.number)),
    _E("hypothesis", Cell.TEXT, lambda t: identifier("H", t.dossier.hypothesis.number)),
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
    _E("dropped", Cell.TEXT, lambda t: joined(one.treatment for one in t.experiment.dropped)),
    _E("dropped_at", Cell.TEXT, lambda t: joined(f"{one.at:%Y-%m-%dT%H:%M:%SZ}" for one in t.experiment.dropped)),
    _E("dropped_because", Cell.TEXT, lambda t: joined(one.reason for one in t.experiment.dropped)),
    _E("cause_fixed_at", Cell.TIME, lambda t: t.experiment.fixed_cause.since if t.experiment.fixed_cause else None),
    _E(
        "cause_fixed_because",
        Cell.TEXT,
        lambda t: t.experiment.fixed_cause.reason if t.experiment.fixed_cause else None,
    ),
    _E("causes_fixed", Cell.WHOLE, lambda t: sum(one.fixed_cause is not None for one in t.dossier.experiments)),
    _E("cancelled_because", Cell.TEXT, lambda t: t.experiment.cancel_reason),
    _E("verdict", Cell.TEXT, lambda t: t.readout.verdict.value if t.readout else None),
    _E("verdict_treatment", Cell.TEXT, lambda t: _treatment(t.readout) if t.readout else None),
    _E("verdict_metric", Cell.TEXT, lambda t: _metric(t.readout) if t.readout else None),
    _E("verdict_is_final", Cell.FLAG, lambda t: t.readout.is_decided if t.readout else None),
)
"""A row an experiment, drafts and cancelled ones too. Of several treatments, the verdict that comes first."""


def _treatment(readout: Readout) -> str | None:
    """Return the treatment whose verdict comes first; earlier versions had one verdict for all of several."""
    is_only = len({one.treatment for one in readout.estimates}) == 1
    return leading(readout).treatment or None if readout.treatments or is_only else None


def _metric(readout: Readout) -> str | None:
    first = leading(readout)
    estimate = deciding(readout, first) if first.verdict.is_win or first.verdict.is_harm else None
    return first.metric or (estimate.metric if estimate is not None else None)


SHEETS: Mapping[str, tuple[tuple[str, Cell], ...]] = {
    "hypotheses": tuple((one.name, one.cell) for one in HYPOTHESES),
    "experiments": tuple((one.name, one.cell) for one in EXPERIMENTS),
    "readouts": tuple((one.name, one.cell) for one in READOUTS),
}
"""The sheets of an export with their columns."""
