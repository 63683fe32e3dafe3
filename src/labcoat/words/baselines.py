"""What was measured of metrics, in the words that people plan with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal

from labcoat.domain.baseline import Baseline
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import numbers

MOST_METRICS = 8


def goal(baseline: Baseline, metric: MetricDescription, *, unit: str, now: datetime) -> str:
    """Return what was measured of a goal, when, and on how many units."""
    age = (now - baseline.measured_at).days
    old = f" That is {numbers.days(age)} old; check that it still holds." if baseline.is_old(now) else ""
    growing = ""
    if metric.is_growing:
        window = "; with a window it is less" if metric.can_have_window else ""
        growing = f" It keeps growing: this is what they had gathered by the end{window}."
    return f"{_measured(baseline, metric, unit=unit)}{_gain(baseline, unit)}{growing}{old}"


def _measured(baseline: Baseline, metric: MetricDescription, *, unit: str) -> str:
    mean = numbers.mean(baseline.mean, metric.kind, format_=metric.format)
    units = f"{numbers.roughly(baseline.units)} {unit}s"
    said = f"{mean} of {units}" if metric.kind is MetricKind.PROPORTION else f"{mean} {_on_average(metric)} {units}"
    if baseline.since is None or baseline.until is None:
        return f"Measured on {_day(baseline.measured_at)}: {said}, whose exposures have no times."
    rate = "" if baseline.units_per_day is None else f", {per_day(baseline.units_per_day)} new a day"
    return f"Measured from {_days(baseline.since, baseline.until)}: {said}{rate}."


def _on_average(metric: MetricDescription) -> str:
    return "over" if metric.kind is MetricKind.RATIO else "on average of"


def _gain(baseline: Baseline, unit: str) -> str:
    gain = baseline.variance_reduction
    if gain is None or round(gain, 2) == 0:
        return ""
    share = f"{numbers.share(gain, decimals=0)} of the {unit}s"
    if baseline.trial_days is None:
        return f" CUPED saves {share}."
    return f" CUPED would save {share}, with pre_period_days: {baseline.trial_days:g} in the metrics file."


def others(known: Sequence[tuple[Baseline, MetricDescription]]) -> str:
    """Return what was measured of metrics that a plan may have as guardrails, "" for none."""
    parts = []
    for baseline, metric in known[:MOST_METRICS]:
        part = today(baseline, metric.kind)
        said = deviation(baseline, metric.kind)
        parts.append(f"{metric.name} {part}{f' (sd {said})' if said else ''}" if part else "")
    listed = ", ".join(part for part in parts if part)
    return f"Measured, and taken for lines that don't say “today”: {listed}." if listed else ""


def today(baseline: Baseline, kind: MetricKind) -> str:
    """Return a baseline as people type it, "" where none can be planned with.

    >>> from labcoat.warehouse.exposed_units import EARLIEST
    >>> one = Baseline(metric="orders", definition="", measured_at=EARLIEST, since=None, until=None, units=500,
    ...     units_per_day=None, mean=0.0421287, deviation=0.2, variance_reduction=None)
    >>> today(one, MetricKind.PROPORTION), today(one, MetricKind.MEAN)
    ('4.213 %', '0.04213')
    """
    if kind is MetricKind.PROPORTION:
        return f"{_typed(100 * baseline.mean)} %" if 0 < baseline.mean < 1 else ""
    return _typed(baseline.mean)


def deviation(baseline: Baseline, kind: MetricKind) -> str:
    """Return a deviation as people type it, "" where there is none to say."""
    return _typed(baseline.deviation) if kind is not MetricKind.PROPORTION and baseline.deviation > 0 else ""


def per_day(units_per_day: float) -> str:
    """Return a rate as people type it.

    >>> per_day(2893.4), per_day(0.456)
    ('2,890', '0.456')
    """
    return _typed(units_per_day, digits=3)


def lines(
    measured: Sequence[tuple[Baseline, MetricDescription]], problems: Mapping[str, str], *, now: datetime
) -> list[str]:
    """Return what was measured, one metric a line, and why others could not be."""
    found = []
    for baseline, metric in measured:
        spread = deviation(baseline, metric.kind)
        said = f" Standard deviation {spread}." if spread else ""
        found.append(f"{metric.name}: {goal(baseline, metric, unit='unit', now=now)}{said}")
    return [*found, *(f"{name}: {why.removeprefix(f'Metric {name}: ')}" for name, why in problems.items())]


def as_json(measured: Mapping[str, Baseline], problems: Mapping[str, str]) -> str:
    """Return the same as JSON."""
    shown = {"measured": [asdict(one) for one in measured.values()], "problems": dict(problems)}
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _typed(value: float, *, digits: int = 4) -> str:
    """Return a number as a form reads it back: no exponent, thousands apart.

    >>> _typed(12345.678), _typed(0.0000123456), _typed(-3.0)
    ('12,350', '0.00001235', '-3')
    """
    rounded = float(f"{value:.{digits}g}")
    return f"{Decimal(f'{rounded:.15g}'):,f}"


def _days(since: datetime, until: datetime) -> str:
    first, last = since, until - timedelta(seconds=1)
    return f"{first.day} to {_day(last)}" if first.month == last.month else f"{_day(first)} to {_day(last)}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B}"
