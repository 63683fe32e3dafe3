"""A plan as people write it in the form: variants and metrics in a line each, read into a Plan."""

import re
from collections.abc import Mapping
from datetime import time, timedelta

from labcoat.domain import schedule
from labcoat.domain.amounts import LARGEST_COUNT, read_baseline, read_effect, read_number, read_positive
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.plan import Period, Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.answers import Answers
from labcoat.stats.results import Design, Direction, MetricKind, Role
from labcoat.warehouse import reading
from labcoat.warehouse.metrics_file import Metric, MetricsFile

LAST_YEAR = 2200
_SHARE = re.compile(r"^(?P<name>.+?)[\s:=]+(?P<share>[\d.,]+)\s*%?$")
_MARGIN = re.compile(r"[,;]?\s*margin\s+(?P<margin>.+)$", re.IGNORECASE)
_DIRECTION = re.compile(r"\s+(?P<direction>up|down)$", re.IGNORECASE)


def read_plan(answers: Answers, *, hypothesis: Hypothesis, metrics: MetricsFile | None, zone: str) -> Plan:
    """Return the plan that the form describes; raise Refusal naming the field that cannot be read."""
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
        deviation=_optional_positive(answers, "deviation") if kind is MetricKind.MEAN else None,
        measuring=reading.measuring_of(in_file) if in_file else None,
        format=in_file.format if in_file else None,
        description=in_file.description if in_file else "",
        owner=in_file.owner if in_file else "",
    )
    lines = [line.strip() for line in answers.text("guardrails").splitlines() if line.strip()]
    others = tuple(_other_metric(line, known, is_read=in_file is not None) for line in lines)
    period = _period(answers, zone)
    days = (period.ends_at - period.starts_at) / timedelta(days=1) if period else None
    windows = [one.measuring.window_days for one in (goal, *others) if one.measuring is not None]
    return Plan(
        variants=read_variants(answers.text("variants")),
        unit=answers.text("unit"),
        metrics=(goal, *others),
        design=answers.required_word("design", Design),
        source=ResultSource.WAREHOUSE if in_file else ResultSource.TYPED,
        planned_days=days or read_positive(answers.text("planned_days"), field="planned_days"),
        zone=zone,
        window_days=max(windows, default=0.0) if period is None else 0.0,
        units_per_day=_optional_positive(answers, "units_per_day"),
        experiment_key=answers.text("experiment_key"),
        period=period,
    )


def _optional_positive(answers: Answers, field: str) -> float | None:
    text = answers.text(field)
    return read_positive(text, field=field, largest=LARGEST_COUNT) if text else None


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


def _other_metric(line: str, known: dict[str, tuple[str, Metric]], *, is_read: bool) -> PlannedMetric:
    is_secondary, rest = _without_prefix(line, "secondary ")
    is_mean, rest = _without_prefix(rest, "mean ")
    margin_match = _MARGIN.search(rest)
    rest = rest[: margin_match.start()].strip() if margin_match else rest
    direction_match = _DIRECTION.search(rest)
    name = (rest[: direction_match.start()] if direction_match else rest).strip(" ,;")
    name, in_file = known.get(name.casefold(), (name, None))
    if is_read and in_file is None:
        names = ", ".join(one for one, _ in list(known.values())[:8])
        hint = f"The goal is read from there, so its guardrails are too. It has: {names}."
        raise Refusal(Reason.NOT_A_METRIC, "guardrails", text=name[:60], hint=hint)
    kind = in_file.kind if in_file else MetricKind.MEAN if is_mean else MetricKind.PROPORTION
    if direction_match:
        direction = Direction(direction_match["direction"].lower())
    elif in_file is not None:
        direction = in_file.direction
    else:
        raise Refusal(Reason.DIRECTION_NEEDED, "guardrails", name=name[:60])
    margin = read_effect(margin_match["margin"], kind=kind, field="guardrails") if margin_match else None
    role = Role.SECONDARY if is_secondary else Role.GUARDRAIL
    return PlannedMetric(
        name=name,
        role=role,
        kind=kind,
        direction=direction,
        margin=margin,
        is_complete_at_exposure=in_file is not None and in_file.complete_at_exposure,
        measuring=reading.measuring_of(in_file) if in_file else None,
        format=in_file.format if in_file else None,
        description=in_file.description if in_file else "",
        owner=in_file.owner if in_file else "",
    )


def _without_prefix(line: str, prefix: str) -> tuple[bool, str]:
    has_it = line.lower().startswith(prefix)
    return has_it, line[len(prefix) :].strip() if has_it else line


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
