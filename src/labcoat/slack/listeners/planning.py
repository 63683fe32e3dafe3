"""A plan as people write it in the form: variants and metrics in a line each, read into a Plan."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta

from labcoat.domain import schedule
from labcoat.domain.amounts import LARGEST_COUNT, read_baseline, read_effect, read_number, read_positive
from labcoat.domain.baseline import Baseline
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.plan import LONGEST_DAYS, Period, Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.form_values import Answers
from labcoat.slack.listeners import metric_lines
from labcoat.slack.listeners.metric_lines import MetricLine
from labcoat.stats.rule import Design, MetricKind, Role
from labcoat.warehouse import reading
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.words import baselines as words

LAST_YEAR = 2200
_SHARE = re.compile(r"^(?P<name>.+?)[\s:=]+(?P<share>[\d.,]+)\s*%?$")


def read_plan(
    answers: Answers,
    *,
    hypothesis: Hypothesis,
    metrics: MetricsFile | None,
    baselines: Mapping[str, Baseline],
    zone: str,
) -> Plan:
    """Return the plan that the form describes; raise Refusal naming the field that cannot be read.

    baselines: measured, by the metric's name. What CUPED takes away counts; the other numbers are people's.
    """
    known = {name.casefold(): (name, metric) for name, metric in (metrics.metrics if metrics else {}).items()}
    goal_name, in_file = known.get(answers.text("goal").casefold(), (answers.text("goal"), None))
    if not goal_name:
        raise Refusal(Reason.NO_GOAL, "goal")
    kind = in_file.kind if in_file else answers.required_word("kind", MetricKind)
    goal = PlannedMetric(
        name=goal_name,
        role=Role.GOAL,
        kind=kind,
        direction=hypothesis.direction,
        baseline=read_baseline(answers.text("baseline"), kind=kind, field="baseline"),
        minimum_effect=read_effect(answers.text("minimum_effect"), kind=kind, field="minimum_effect"),
        is_complete_at_exposure=in_file is not None and in_file.complete_at_exposure,
        deviation=_optional_positive(answers, "deviation") if kind is not MetricKind.PROPORTION else None,
        variance_reduction=_reduction(baselines.get(goal_name)),
        measuring=reading.measuring_of(in_file) if in_file else None,
        format=in_file.format if in_file else None,
        description=in_file.description if in_file else "",
        owner=in_file.owner if in_file else "",
    )
    lines = metric_lines.read(answers.text("guardrails"))
    others = tuple(_other_metric(line, known, baselines, is_read=in_file is not None) for line in lines)
    period = _period(answers, zone)
    days = (period.ends_at - period.starts_at) / timedelta(days=1) if period else None
    plan = Plan(
        variants=read_variants(answers.text("variants")),
        unit=answers.text("unit"),
        metrics=(goal, *others),
        design=answers.required_word("design", Design),
        source=ResultSource.WAREHOUSE if in_file else ResultSource.TYPED,
        planned_days=days or read_positive(answers.text("planned_days"), field="planned_days"),
        zone=zone,
        units_per_day=_optional_positive(answers, "units_per_day"),
        experiment_key=answers.text("experiment_key"),
        period=period,
    )
    window = _optional_positive(answers, "window_days", largest=LONGEST_DAYS)
    return plan.with_window(window or 0.0, names=_with_window(metrics) if window else ())


def _reduction(measured: Baseline | None) -> float:
    return measured.counted_reduction if measured is not None else 0.0


def _optional_positive(answers: Answers, field: str, *, largest: float = LARGEST_COUNT) -> float | None:
    text = answers.text(field)
    return read_positive(text, field=field, largest=largest) if text else None


def _with_window(metrics: MetricsFile | None) -> list[str]:
    """Return the metrics that get the plan's window: those that have none of their own, and need one."""
    described = reading.describe(metrics) if metrics else ()
    return [one.name for one in described if one.is_growing and one.can_have_window]


def texts_of(answers: Answers, *, otherwise: Mapping[str, str]) -> dict[str, str]:
    """Return what the fields of the form hold, by block id, to show it anew. otherwise: for fields it does not show."""
    texts = {**otherwise, **{name: answers.text(name) for name in otherwise if name in answers.input_blocks}}
    for name in {"kind", "design"} & set(answers.input_blocks):
        texts[name] = answers.choice(name) or otherwise[name]
    for name in {"starts_on", "ends_on"} & set(answers.input_blocks):
        day = answers.day(name)
        texts[name] = day.isoformat() if day else ""
    return texts


def read_variants(text: str) -> tuple[Variant, ...]:
    """Return the variants of "control 50, treatment 50"; without any numbers they share equally.

    >>> [one.weight for one in read_variants("control, treatment")]
    [0.5, 0.5]
    """
    parts = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    matches = [_SHARE.match(part) for part in parts]
    if parts and not any(matches):
        return tuple(Variant(name=part, weight=1 / len(parts)) for part in parts)
    shares: list[tuple[str, float]] = []
    for part, match in zip(parts, matches, strict=True):
        if match is None:
            raise Refusal(Reason.NOT_A_NUMBER, "variants", text=part[:60])
        shares.append((match["name"].strip(), read_number(match["share"], field="variants")))
    scale = 100.0 if any(share > 1 for _, share in shares) else 1.0
    return tuple(Variant(name=name, weight=share / scale) for name, share in shares)


def _other_metric(
    line: MetricLine, known: dict[str, tuple[str, Metric]], baselines: Mapping[str, Baseline], *, is_read: bool
) -> PlannedMetric:
    name, in_file = known.get(line.name.casefold(), (line.name, None))
    if is_read and in_file is None:
        names = ", ".join(one for one, _ in list(known.values())[:8])
        hint = f"The goal is read from there, so its guardrails are too. It has: {names}."
        raise Refusal(Reason.NOT_A_METRIC, "guardrails", text=name[:60], hint=hint)
    kind = in_file.kind if in_file else MetricKind.MEAN if line.is_mean else MetricKind.PROPORTION
    direction = line.direction or (in_file.direction if in_file else None)
    if direction is None:
        raise Refusal(Reason.DIRECTION_NEEDED, "guardrails", name=name[:60])
    measured = baselines.get(name) if in_file else None
    if measured is not None and not line.today:
        line = replace(
            line, today=words.today(measured, kind), deviation=line.deviation or words.deviation(measured, kind)
        )
    has_deviation = line.deviation and kind is not MetricKind.PROPORTION
    return PlannedMetric(
        name=name,
        role=Role.SECONDARY if line.is_secondary else Role.GUARDRAIL,
        kind=kind,
        direction=direction,
        baseline=read_baseline(line.today, kind=kind, field="guardrails"),
        margin=read_effect(line.margin, kind=kind, field="guardrails") if line.margin else None,
        is_complete_at_exposure=in_file is not None and in_file.complete_at_exposure,
        deviation=read_positive(line.deviation, field="guardrails", largest=LARGEST_COUNT) if has_deviation else None,
        variance_reduction=_reduction(measured),
        measuring=reading.measuring_of(in_file) if in_file else None,
        format=in_file.format if in_file else None,
        description=in_file.description if in_file else "",
        owner=in_file.owner if in_file else "",
    )


def _period(answers: Answers, zone: str) -> Period | None:
    first, last = answers.day("starts_on"), answers.day("ends_on")
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise Refusal(Reason.MISSING, "starts_on" if first is None else "ends_on")
    if max(first, last).year > LAST_YEAR:
        raise Refusal(Reason.IN_THE_FUTURE, "ends_on")
    midnight = time(0)
    starts = schedule.at_local(first, midnight, zone)
    return Period(starts_at=starts, ends_at=schedule.at_local(last + timedelta(days=1), midnight, zone))
