"""Which designs the plan form may offer while it is filled in, and what a window per unit would save."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from labcoat.domain.amounts import read_positive
from labcoat.domain.plan import LONGEST_DAYS, Plan, ResultSource, valid_designs
from labcoat.domain.refusal import Refusal
from labcoat.slack.listeners import metric_lines
from labcoat.slack.views.plan_looks import Looks
from labcoat.stats.rule import Design
from labcoat.usecases.experiments import sizing
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import sizing as words

TYPICAL_WINDOW_DAYS = 7.0


def offered(texts: Mapping[str, str], *, metrics: Sequence[MetricDescription], before: Sequence[str] = ()) -> Looks:
    """Return what the form offers for repeated looks.

    texts: what its fields hold, by block id; "" as design for the default. before: the designs that it offered until
    now, the default first; none if it opens. Who kept that default gets the new one; any other choice stays while it is
    valid.
    """
    known = {one.name.casefold(): one for one in metrics}
    goal, wanted = known.get(texts["goal"].casefold()), Design(texts["design"]) if texts["design"] else None
    source = ResultSource.TYPED if goal is None else ResultSource.WAREHOUSE
    lines = [line for line in metric_lines.read(texts["guardrails"]) if not line.is_secondary]
    guardrails = (known.get(line.name.casefold()) for line in lines)
    growing = [one for one in (goal, *guardrails) if one is not None and one.is_growing] if goal else []
    can_have_window = bool(growing) and all(one.can_have_window for one in growing)
    is_closed = can_have_window and _window(texts) is not None
    designs = valid_designs(source, has_growing_metric=bool(growing) and not is_closed)
    had_default = bool(before) and wanted == before[0]
    chosen = wanted if wanted in designs and not had_default else designs[0]
    return Looks(
        source=source,
        designs=designs,
        chosen=chosen,
        replaced=wanted if chosen is not wanted else None,
        growing=tuple(dict.fromkeys(one.name for one in growing)),
        can_have_window=can_have_window,
    )


def with_saving(
    looks: Looks, plan: Plan | None, texts: Mapping[str, str], *, metrics: Sequence[MetricDescription]
) -> Looks:
    """Return what is offered with what a window saves. plan: as far as it can be read, None if it can't."""
    if not looks.can_have_window:
        return looks
    names = [one.name for one in metrics if one.is_growing and one.can_have_window]
    days = plan.planned_days if plan is not None else TYPICAL_WINDOW_DAYS
    window = _window(texts) or min(TYPICAL_WINDOW_DAYS, max(days // 2, 1.0))
    saving = None if plan is None else sizing.saving(plan, window_days=window, names=names)
    return replace(looks, saving=words.saving(saving, unit=texts["unit"] or "user"))


def _window(texts: Mapping[str, str]) -> float | None:
    """Return the window that is typed, None if it is empty or can't be read, which the form says in its place."""
    try:
        text = texts["window_days"]
        return read_positive(text, field="window_days", largest=LONGEST_DAYS) if text else None
    except Refusal:
        return None
