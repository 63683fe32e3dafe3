"""An analysis of any file, without Slack or a plan: the same rule, readout and verdict as every look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from labcoat.domain.amounts import read_effect
from labcoat.stats import entry
from labcoat.stats.results import NoLook, Readout
from labcoat.stats.rule import Design, Direction, MetricKind, MetricRule, Moments, Role, Rule, Sample
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import asked
from labcoat.warehouse.files.asked import FileMoments, MetricColumns
from labcoat.warehouse.files.taken import Taken

FLAGS: Mapping[str, str] = {"variant": "--variant ", "unit": "--unit ", "n": "--count "}
"""How `labcoat analyse` is told which column has a role."""
ALLOCATION_TOLERANCE = 1e-6
_CONTROLS = ("control", "ctrl", "baseline", "original", "a", "off", "false", "0")
# Enough that no look is too early by its days: a file does not say how many it has.
_DAYS = 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMetric:
    """A metric as asked for. minimum_effect, margin: as people type them, "" for none."""

    name: str
    role: Role
    columns: MetricColumns
    direction: Direction = Direction.UP
    minimum_effect: str = ""
    margin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to analyse. variant, unit, count: columns, None to find them by name. control: None to find it.

    weights: by variant, empty for an even split.
    """

    path: Path
    variant: str | None
    metrics: tuple[AskedMetric, ...]
    design: Design = Design.ONE_LOOK
    alpha: float = 0.05
    control: str | None = None
    weights: Mapping[str, float]
    unit: str | None = None
    count: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The answer. is_control_guessed: nobody said which variant is the control. taken: from the file."""

    question: Question
    rule: Rule
    readout: Readout
    taken: Taken
    is_control_guessed: bool


def analyse(question: Question) -> Analysis:
    """Return what a file says; raise SourceError or Refusal with what to change."""
    found = asked.read_asked(
        question.path,
        variant=question.variant,
        metrics=[metric.columns for metric in question.metrics],
        unit=question.unit,
        count=question.count,
        flags=FLAGS,
    )
    variants = _in_order(question, sorted(found.units))
    rule = Rule(
        design=question.design,
        alpha=question.alpha,
        # With a confidence sequence no end is planned: a newer file may come any day.
        planned_days=_DAYS if question.design is Design.ONE_LOOK else 2 * _DAYS,
        variants=variants,
        weights=_weights(question, variants),
        metrics=tuple(
            _metric_rule(metric, kind, baseline=_value(moments[variants[0]]))
            for metric, (kind, moments) in zip(question.metrics, found.metrics, strict=True)
        ),
    )
    answer = entry.read(rule, _sample(question, found, variants), day=_DAYS, past=())
    # Nothing was looked at before, no window is open, and the end is reached: there is always a look.
    assert not isinstance(answer, NoLook)
    return Analysis(
        question=question,
        rule=rule,
        readout=answer,
        taken=found.taken,
        is_control_guessed=question.control is None,
    )


def as_json(analysis: Analysis) -> str:
    """Return the readout as JSON, in the shape that looks are stored in."""
    return TypeAdapter(Readout).dump_json(analysis.readout, indent=2).decode()


def _in_order(question: Question, names: list[str]) -> tuple[str, ...]:
    by_name = {name.casefold(): name for name in names}
    if question.control is not None:
        control = by_name.get(question.control.casefold())
        if control is None:
            message = (
                f"There is no variant {question.control}. {question.variant or 'The file'} has: {', '.join(names)}."
            )
            raise SourceError(message, permanent=True)
    else:
        control = next((by_name[name] for name in _CONTROLS if name in by_name), sorted(names)[0])
    return (control, *(name for name in names if name != control))


def _weights(question: Question, variants: tuple[str, ...]) -> tuple[float, ...]:
    if not question.weights:
        return (1 / len(variants),) * len(variants)
    weights = {name.casefold(): weight for name, weight in question.weights.items()}
    if weights.keys() != {name.casefold() for name in variants}:
        message = f"The weights need one share for each of {', '.join(variants)}."
        raise SourceError(message, permanent=True)
    if any(not weight > 0 for weight in weights.values()) or abs(sum(weights.values()) - 1) > ALLOCATION_TOLERANCE:
        message = f"The weights must be above 0 and add up to 1; they add up to {sum(weights.values()):g}."
        raise SourceError(message, permanent=True)
    return tuple(weights[name.casefold()] for name in variants)


def _value(control: Moments) -> float:
    """Return what a metric is in the control: of a ratio the ratio, which effects in percent refer to."""
    divisor = control.joint.means[0] if control.joint is not None else 1.0
    return control.mean / divisor if divisor else control.mean


def _metric_rule(metric: AskedMetric, kind: MetricKind, *, baseline: float) -> MetricRule:
    def absolute(text: str, option: str) -> float | None:
        return read_effect(text, kind=kind, field=option).absolute(baseline) if text else None

    return MetricRule(
        name=metric.name,
        role=metric.role,
        kind=kind,
        direction=metric.direction,
        minimum_effect=absolute(metric.minimum_effect, "minimum_effect"),
        margin=absolute(metric.margin, "margin") or 0.0,
        is_complete_at_exposure=True,
    )


def _sample(question: Question, found: FileMoments, variants: Sequence[str]) -> Sample:
    return Sample(
        exposed=tuple(found.units[name] for name in variants),
        moments={
            metric.name: tuple(moments[name] for name in variants)
            for metric, (_, moments) in zip(question.metrics, found.metrics, strict=True)
        },
    )
