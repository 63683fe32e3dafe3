"""The part of the plan form about what was measured: what its fields begin with, and where that comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from labcoat.domain.baseline import Baseline
from labcoat.domain.plan import LONGEST_METRIC_NAME
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import baselines as words

FIELDS = ("baseline", "deviation", "units_per_day")
"""That are filled in with what was measured of the goal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """What is stored of the metrics file's metrics, by name, as of now."""

    of: Mapping[str, Baseline]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the form says of measured metrics.

    goal, others: in words, "" for nothing. filled: what was filled in, by field. turn: how often the goal changed: a
    field of another name shows what it is given, where Slack would keep what the old one held. has_replaced: what was
    filled in for the goal before is gone.
    """

    goal: str = ""
    others: str = ""
    filled: Mapping[str, str] = field(default_factory=dict)
    goal_name: str = ""
    turn: int = 0
    has_replaced: bool = False

    @property
    def key(self) -> str:
        """What keeps the fields of one goal apart from those of the next."""
        return f"goal{self.turn}" if self.turn else ""

    @property
    def state(self) -> dict[str, object]:
        """What the form must know when it is shown anew."""
        return {"goal": self.goal_name, "filled": dict(self.filled), "turn": self.turn}


def measured(
    texts: Mapping[str, str],
    *,
    metrics: Sequence[MetricDescription],
    baselines: Baselines,
    before: Mapping[str, object] | None,
    is_draft: bool,
) -> tuple[Measured, dict[str, str]]:
    """Return what the form says, and what its fields hold with what was measured.

    before: `Measured.state` of the form until now, None if it opens. is_draft: it opens with a plan that people made.
    A field is filled in where nobody typed anything: when the form opens, and when the goal becomes another metric.
    """
    known = {one.name.casefold(): one for one in metrics}
    metric = known.get(texts["goal"].casefold())
    baseline = baselines.of.get(metric.name) if metric is not None else None
    name = _name(texts)
    filled, turn = _state(before)
    had = any(texts[one] == text for one, text in filled.items())
    is_another = before is None or str(before.get("goal", "")) != name
    if before is not None and is_another:
        turn += 1
    texts = dict(texts)
    if is_another and not (before is None and is_draft):
        values = _values(baseline, metric)
        for one in FIELDS:
            if texts[one] == filled.get(one, ""):
                texts[one] = values.get(one, "")
        filled = {one: text for one, text in values.items() if texts[one] == text}
    said = ""
    if metric is not None and baseline is not None:
        said = words.goal(baseline, metric, unit=texts["unit"] or "user", now=baselines.now)
    rest = [(baselines.of[one.name], one) for one in metrics if one.name in baselines.of and one is not metric]
    found = Measured(
        goal=said, others=words.others(rest), filled=filled, goal_name=name, turn=turn, has_replaced=had and is_another
    )
    return found, texts


def is_of_another_goal(texts: Mapping[str, str], *, before: Mapping[str, object] | None) -> bool:
    """Return whether fields still hold what was filled in for another goal than the one that is named now."""
    filled, _ = _state(before)
    is_another = before is not None and before.get("goal") != _name(texts)
    return is_another and any(texts[one] == text for one, text in filled.items())


def _name(texts: Mapping[str, str]) -> str:
    # Slack keeps 3,000 characters of what a form must know, and a field may hold as many.
    return texts["goal"].casefold()[:LONGEST_METRIC_NAME]


def _state(before: Mapping[str, object] | None) -> tuple[dict[str, str], int]:
    if before is None:
        return {}, 0
    filled, turn = before.get("filled"), before.get("turn")
    return dict(filled) if isinstance(filled, dict) else {}, int(str(turn or 0))


def _values(baseline: Baseline | None, metric: MetricDescription | None) -> dict[str, str]:
    if baseline is None or metric is None:
        return {}
    rate = baseline.units_per_day
    values = {
        "baseline": words.today(baseline, metric.kind),
        "deviation": words.deviation(baseline, metric.kind),
        "units_per_day": words.per_day(rate) if rate else "",
    }
    return {name: text for name, text in values.items() if text}
