"""What the fields of the plan form hold when it opens: the draft's plan as people write it, or what suits most."""

from collections.abc import Sequence

from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.plan import Plan, PlannedMetric
from labcoat.stats.rule import MetricKind, Role
from labcoat.warehouse.reading import MetricDescription


def texts_of(dossier: Dossier, *, metrics: Sequence[MetricDescription]) -> dict[str, str]:
    """Return what each field holds, by block id; "" as design for the default.

    metrics: of the metrics file.
    """
    draft = dossier.draft.plan if dossier.draft else None
    goal = draft.goal if draft else None
    per_day = draft.units_per_day if draft else None
    return {
        "goal": _goal(dossier, draft, metrics),
        "kind": goal.kind if goal else MetricKind.PROPORTION,
        "baseline": _baseline(goal),
        "deviation": f"{goal.deviation:g}" if goal and goal.deviation else "",
        "minimum_effect": (_amount(goal.minimum_effect, goal.kind) if goal else "")
        or dossier.hypothesis.smallest_effect,
        "units_per_day": f"{per_day:g}" if per_day else "",
        "planned_days": f"{draft.planned_days:g}" if draft else "28",
        "variants": ", ".join(f"{one.name} {100 * one.weight:g}" for one in draft.variants)
        if draft
        else "control 50, treatment 50",
        "unit": draft.unit if draft else "user",
        "design": draft.design if draft else "",
        "window_days": _window(draft, metrics),
        "guardrails": _others(draft),
        "evidence_reason": "",
        "experiment_key": draft.experiment_key if draft else "",
        "starts_on": "",
        "ends_on": "",
    }


def _goal(dossier: Dossier, draft: Plan | None, known: Sequence[MetricDescription]) -> str:
    if draft is not None:
        return draft.goal.name
    wanted = dossier.hypothesis.metric
    return next((one.name for one in known if one.name.casefold() == wanted.casefold()), wanted)


def _window(draft: Plan | None, known: Sequence[MetricDescription]) -> str:
    """Return the window that the plan gave to metrics that have none in the metrics file."""
    given = {one.name for one in known if one.is_growing}
    measured = [one.measuring for one in draft.metrics if one.name in given] if draft else []
    days = max((one.window_days for one in measured if one is not None), default=0.0)
    return f"{days:g}" if days else ""


def _baseline(metric: PlannedMetric | None) -> str:
    if metric is None or metric.baseline is None:
        return ""
    return f"{100 * metric.baseline:g} %" if metric.kind is MetricKind.PROPORTION else f"{metric.baseline:g}"


def _amount(size: Amount | None, kind: MetricKind) -> str:
    if size is None:
        return ""
    if size.is_relative:
        return f"{100 * size.size:g} %"
    return f"{100 * size.size:g} points" if kind is MetricKind.PROPORTION else f"{size.size:g}"


def _others(draft: Plan | None) -> str:
    if draft is None:
        return ""
    return "\n".join(_line(metric) for metric in draft.metrics if metric.role is not Role.GOAL)


def _line(metric: PlannedMetric) -> str:
    """Return a metric as `listeners.metric_lines` reads it."""
    prefix = "secondary " if metric.role is Role.SECONDARY else ""
    prefix += "mean " if metric.kind is MetricKind.MEAN and metric.measuring is None else ""
    parts = {
        "margin": _amount(metric.margin, metric.kind),
        "today": _baseline(metric),
        "sd": f"{metric.deviation:g}" if metric.deviation else "",
    }
    said = "".join(f", {part} {text}" for part, text in parts.items() if text)
    return f"{prefix}{metric.name} {metric.direction}{said}"
