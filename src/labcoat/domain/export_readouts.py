"""The sheet of readouts: a row a look, metric and treatment, as it was stored."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.export_columns import Cell, Column, Value, identifier, joined
from labcoat.domain.look import Look
from labcoat.domain.verdicts import verdict_of
from labcoat.stats.results import Estimate, Held, Readout, Reason, TreatmentVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One treatment at one look; estimate: None where no effect may be read."""

    dossier: Dossier
    experiment: Experiment
    look: Look
    treatment: str
    estimate: Estimate | None


def treatments_of(dossier: Dossier, experiment: Experiment, look: Look) -> Iterator[Seen]:
    """Return the rows of a look: one a metric and treatment, or one a treatment where no effects may be read."""
    readout = look.readout
    estimates = readout.estimates if readout is not None else ()
    for treatment in experiment.plan.variant_names[1:]:
        is_shown = readout is not None and verdict_of(readout, treatment).verdict.is_valid
        mine: list[Estimate | None] = [one for one in estimates if is_shown and one.treatment == treatment]
        for estimate in mine or [None]:
            yield Seen(dossier=dossier, experiment=experiment, look=look, treatment=treatment, estimate=estimate)


def _read(value: Callable[[Readout], Value]) -> Callable[[Seen], Value]:
    return lambda seen: None if seen.look.readout is None else value(seen.look.readout)


def _estimated(value: Callable[[Estimate], Value]) -> Callable[[Seen], Value]:
    return lambda seen: None if seen.estimate is None else value(seen.estimate)


def _units(seen: Seen, variant: str) -> int:
    return seen.look.sample.exposed[seen.experiment.plan.variant_names.index(variant)]


def _of_treatment(seen: Seen) -> TreatmentVerdict | None:
    return verdict_of(seen.look.readout, seen.treatment) if seen.look.readout is not None else None


def _treatment_verdict(seen: Seen) -> str | None:
    one = _of_treatment(seen)
    return None if one is None else one.verdict.value


def _treatment_findings(seen: Seen) -> str | None:
    one = _of_treatment(seen)
    return None if one is None else _findings(one.reasons)


def _held(value: Callable[[Held], Value]) -> Callable[[Seen], Value]:
    return _estimated(lambda estimate: None if estimate.held is None else value(estimate.held))


def _findings(reasons: Sequence[Reason]) -> str | None:
    return joined(
        f"{one.finding.value}"
        + (f": {one.metric}" if one.metric else "")
        + (f", {one.treatment}" if one.treatment else "")
        for one in reasons
    )


_R = Column[Seen]
READOUTS: tuple[Column[Seen], ...] = (
    _R("experiment", Cell.TEXT, lambda s: identifier("E", s.experiment.number)),
    _R("hypothesis", Cell.TEXT, lambda s: identifier("H", s.dossier.hypothesis.number)),
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
    _R("verdict_because", Cell.TEXT, _read(lambda r: _findings(r.reasons))),
    _R("split_p_value", Cell.NUMBER, _read(lambda r: r.sample_ratio.p_value)),
    _R("treatment", Cell.TEXT, lambda s: s.treatment),
    _R("treatment_verdict", Cell.TEXT, _treatment_verdict),
    _R("treatment_verdict_because", Cell.TEXT, _treatment_findings),
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
    _R("held_low", Cell.NUMBER, _held(lambda h: h.low)),
    _R("held_high", Cell.NUMBER, _held(lambda h: h.high)),
    _R("held_look", Cell.WHOLE, _held(lambda h: h.look)),
    _R("standard_error", Cell.NUMBER, _estimated(lambda e: e.standard_error)),
    _R("multiplier", Cell.NUMBER, _estimated(lambda e: e.multiplier)),
    _R("p_value", Cell.NUMBER, _estimated(lambda e: e.p_value)),
    _R("is_approximate", Cell.FLAG, _estimated(lambda e: e.is_approximate)),
    _R("no_number_because", Cell.TEXT, _estimated(lambda e: e.missing.value if e.missing else None)),
)
"""A row a look, metric and treatment, as it was stored."""
