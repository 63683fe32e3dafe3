"""Charts of a result as PNG: a forest plot of all metrics, and the path of the goal's interval over the looks.

Colours are Okabe and Ito's (2008), which colour-blind people tell apart, and never the only sign: roles have markers of
their own, effects are written beside their intervals. The ground is opaque, so it reads in light and dark themes.
"""

import gc
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from threading import Lock

from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from labcoat.domain.plan import Plan
from labcoat.domain.verdicts import deciding, leading, may_show_effects
from labcoat.stats.results import Estimate, Finding, Readout
from labcoat.stats.rule import Role
from labcoat.words import effects, numbers, verdicts

WIDTH_INCHES, DPI = 4.2, 180
_ROW_INCHES, _PATH_INCHES, _ABOVE_INCHES, _BELOW_INCHES = 0.5, 1.35, 0.3, 0.46
_LEFT, _RIGHT = 0.05, 0.91
"""Shares of the width between which the panels are. Names stand above their intervals: a phone is narrow."""
_MOST_ROWS = 24
_NAME_LENGTH, _TREATMENT_LENGTH = 34, 20

_BLUE, _VERMILION, _GREEN, _GREY, _INK, _GROUND = "#0072B2", "#D55E00", "#007A5A", "#8A8A8A", "#2B2B2B", "#FBFAF6"
_ORDER = (Role.GOAL, Role.GUARDRAIL, Role.SECONDARY)
_MARKERS = {Role.GOAL: "D", Role.GUARDRAIL: "s", Role.SECONDARY: "o"}
_ROLES = {Role.GOAL: "goal", Role.GUARDRAIL: "guardrail", Role.SECONDARY: "exploratory"}
_FONT = "DejaVu Sans"
if gc.get_freeze_count():  # `labcoat serve` has frozen what it began with; this comes later (decision 42)
    gc.freeze()

_drawing = Lock()
"""The font cache of matplotlib is shared; two deliveries must not fill it at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture and what it says, for whoever does not see it."""

    png: bytes
    alt_text: str


def draw(readout: Readout, plan: Plan, *, past: Sequence[Readout]) -> Chart:
    """Return the chart of a look. past: all looks up to this one, oldest first, for the goal's path."""
    with _drawing:
        shows_effects = may_show_effects(readout) and readout.estimates
        png = _effects(readout, plan, past) if shows_effects else _split(readout, plan)
    return Chart(png=png, alt_text=verdicts.alt_text(readout, plan))


def row_name(one: Estimate) -> str:
    """Return metric and treatment; where both are too long, the metric is cut more: treatments tell rows apart."""
    treatment = numbers.shortened(one.treatment, _TREATMENT_LENGTH)
    return f"{numbers.shortened(one.metric, _NAME_LENGTH - 2 - len(treatment))}, {treatment}"


def reach_of(rows: Sequence[Estimate], *, harmful: frozenset[tuple[str, str]], minimum: float | None) -> float:
    """Return how far from 0 the panel of all metrics reaches, in percent.

    Wide intervals of other metrics are cut so that the goal's can be read, but not that of a harm: it is seen whole, or
    to twice its estimate. minimum: the goal's smallest effect worth having, which is in view too.
    """
    goal = max([_farthest(one) for one in rows[:1]], default=0.0)
    reach = 1.12 * min(max([_farthest(one) for one in rows], default=0.0) or 1.0, 4 * (goal or 1e9))
    harm = [min(_farthest(one), 200 * abs(one.lift or 0.0)) for one in rows if (one.metric, one.treatment) in harmful]
    return max(reach, 1.12 * max(harm, default=0.0), 1.3 * abs(minimum or 0.0))


def _farthest(one: Estimate) -> float:
    return max((100 * abs(end) for end in (one.lift_low, one.lift_high) if end is not None), default=0.0)


def _effects(readout: Readout, plan: Plan, past: Sequence[Readout]) -> bytes:
    readable = [one.shown for one in effects.readable(readout)]
    rows = sorted(readable, key=lambda one: _ORDER.index(one.role))[:_MOST_ROWS]
    followed = _followed(readout, plan)
    path = [(one.day, goal) for one in past if (goal := _find(one, followed)) is not None and goal.lift is not None]
    heights = [_ROW_INCHES * len(rows), *([_PATH_INCHES] if len(path) > 1 else [])]
    figure, panels = _panels(heights)
    _forest(panels[0], rows, plan, harmful=_harmful(readout))
    if len(path) > 1:
        _path(panels[1], path, plan, followed)
    return _png(figure)


def _panels(heights: Sequence[float]) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels of these heights in inches, from top to bottom, names to their left."""
    total = sum(heights) + len(heights) * (_ABOVE_INCHES + _BELOW_INCHES)
    figure = Figure(figsize=(WIDTH_INCHES, total), dpi=DPI, facecolor=_GROUND)
    panels, top = [], total
    for height in heights:
        top -= _ABOVE_INCHES + height
        panels.append(figure.add_axes((_LEFT, top / total, _RIGHT - _LEFT, height / total)))
        top -= _BELOW_INCHES
    return figure, panels


def _harmful(readout: Readout) -> frozenset[tuple[str, str]]:
    """Return the metrics and treatments that a verdict of harm is about, of dropped treatments too."""
    found = (deciding(readout, one) for one in readout.by_treatment if one.verdict.is_harm)
    return frozenset((one.metric, one.treatment) for one in found if one is not None)


def _followed(readout: Readout, plan: Plan) -> tuple[str, str]:
    """Return the goal and the treatment whose effect is drawn over the looks: those that the headline is about."""
    one = leading(readout)
    estimate = deciding(readout, one)
    is_goal = estimate is not None and estimate.role is Role.GOAL
    treatment = estimate.treatment if estimate is not None else plan.variant_names[1]
    return (estimate.metric if estimate is not None and is_goal else plan.goal.name), treatment


def _find(readout: Readout, followed: tuple[str, str]) -> Estimate | None:
    found = (one.shown for one in readout.as_decided.estimates if (one.metric, one.treatment) == followed)
    return next(found, None)


def _minimum(plan: Plan) -> float | None:
    """Return the goal's smallest effect worth having, in percent of its baseline, on its good side."""
    amount, baseline = plan.goal.minimum_effect, plan.goal.baseline
    if amount is None or (not amount.is_relative and not baseline):
        return None
    share = amount.size if amount.is_relative else amount.size / abs(baseline or 1)
    return 100 * share * (1 if plan.goal.direction == "up" else -1)


def _forest(axes: Axes, rows: Sequence[Estimate], plan: Plan, *, harmful: frozenset[tuple[str, str]]) -> None:
    minimum = _minimum(plan)
    reach = reach_of(rows, harmful=harmful, minimum=minimum)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.axvline(0, color=_INK, linewidth=0.9)
    if minimum is not None:
        goals = sum(one.role is Role.GOAL for one in rows)
        axes.plot([minimum, minimum], [-0.5, goals - 0.55], color=_GREEN, linewidth=1.2, linestyle=(0, (4, 3)))
        _write(axes, minimum, -0.52, "worth having", color=_GREEN, size=7, ha="center", va="bottom")
    for place, one in enumerate(rows):
        colour = _VERMILION if (one.metric, one.treatment) in harmful else _BLUE
        _row(axes, place, one, reach, len(plan.variants) > 2, colour)
    axes.set_yticks([])
    _tidy(axes, f"Change to {_shown(plan.variant_names[0])}, %")


def _row(axes: Axes, place: int, one: Estimate, reach: float, names_treatment: bool, colour: str) -> None:
    name = row_name(one) if names_treatment else one.metric
    said = numbers.effect(one)
    _write(axes, 0, place - 0.22, name, in_axes_x=True, size=7.5, ha="left", weight=_weight(one))
    _write(axes, 1, place - 0.22, f"{_ROLES[one.role]}: {said or 'no number yet'}", in_axes_x=True, size=7, ha="right")
    if one.lift is None or one.lift_low is None or one.lift_high is None:
        return
    low, middle, high = 100 * one.lift_low, 100 * one.lift, 100 * one.lift_high
    is_weak = one.role is Role.SECONDARY or one.missing is Finding.SMALL_CELL
    colour, y = _GREY if is_weak else colour, place + 0.16
    shown = tuple(min(reach, max(-reach, end)) for end in (low, high))
    axes.plot(shown, (y, y), color=colour, linewidth=2.2, solid_capstyle="butt")
    for end, is_seen, is_cut, arrow in (
        (shown[0], low <= reach, low < -reach, "<"),
        (shown[1], high >= -reach, high > reach, ">"),
    ):
        if is_seen:
            axes.plot([end], [y], marker=arrow if is_cut else "|", color=colour, markersize=5, clip_on=False)
    if abs(middle) <= reach:
        axes.plot([middle], [y], marker=_MARKERS[one.role], color=colour, markersize=5.5, markeredgecolor=_GROUND)


def _weight(one: Estimate) -> str:
    return "bold" if one.role is Role.GOAL else "normal"


def _path(axes: Axes, path: Sequence[tuple[float, Estimate]], plan: Plan, followed: tuple[str, str]) -> None:
    days = [day for day, _ in path]
    later = [one for _, one in path[len(path) // 4 :]]  # the first looks know little, and would flatten all the rest
    reach = 1.25 * max(100 * abs(end) for one in later for end in (one.lift_low or 0.01, one.lift_high or 0.01))
    minimum = _minimum(plan)
    reach = max(reach, 1.3 * abs(minimum)) if minimum is not None else reach
    lows = [max(-reach, 100 * (one.lift_low or 0.0)) for _, one in path]
    highs = [min(reach, 100 * (one.lift_high or 0.0)) for _, one in path]
    middles = [min(reach, max(-reach, 100 * (one.lift or 0.0))) for _, one in path]
    axes.fill_between(days, lows, highs, color=_BLUE, alpha=0.18, linewidth=0)
    axes.plot(days, lows, color=_BLUE, linewidth=0.8)
    axes.plot(days, highs, color=_BLUE, linewidth=0.8)
    axes.plot(days, middles, color=_BLUE, linewidth=1.8, marker="o", markersize=3)
    axes.axhline(0, color=_INK, linewidth=0.9)
    if minimum is not None:
        axes.axhline(minimum, color=_GREEN, linewidth=1.1, linestyle=(0, (4, 3)))
    axes.axvline(plan.planned_days, color=_GREY, linewidth=1.0, linestyle=":")
    axes.set_xlim(0, max([plan.planned_days, *days]) * 1.03)
    axes.set_ylim(-reach, reach)
    _write(axes, plan.planned_days, -0.94 * reach, "planned end ", size=6.5, ha="right", va="bottom", color=_INK)
    name = row_name(path[-1][1]) if len(plan.variants) > 2 else followed[0]
    _write(axes, 0, 1.12 * reach, name, in_axes_x=True, size=7.5, ha="left", va="bottom", weight="bold")
    _write(axes, 1, 1.12 * reach, "goal: change in % by day", in_axes_x=True, size=7, ha="right", va="bottom")
    axes.yaxis.tick_right()
    _tidy(axes, "Day")


def _split(readout: Readout, plan: Plan) -> bytes:
    ratio, names = readout.sample_ratio, plan.variant_names
    total = max(1, sum(ratio.exposed))
    figure, (axes,) = _panels([_ROW_INCHES * len(names)])
    shares = [100 * units / total for units in ratio.exposed]
    planned = [100 * weight for weight in ratio.weights]
    places = [place + 0.19 for place in range(len(names))]
    axes.barh(places, shares, color=_VERMILION, height=0.3)
    for place, (name, share, wanted) in enumerate(zip(names, shares, planned, strict=True)):
        axes.plot([wanted, wanted], [place - 0.04, place + 0.42], color=_INK, linewidth=1.6)
        _write(axes, 0, place - 0.22, name, in_axes_x=True, size=7.5, ha="left")
        said = f"{numbers.count(ratio.exposed[place])} units, {share:.1f} % (planned {wanted:.0f} %)"
        _write(axes, 1, place - 0.22, said, in_axes_x=True, size=7, ha="right")
    axes.set_xlim(0, 1.15 * max([*shares, *planned]))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_yticks([])
    _tidy(axes, "Share of units, %; the black mark is the plan")
    return _png(figure)


def _tidy(axes: Axes, label: str) -> None:
    axes.set_facecolor(_GROUND)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GREY)
    axes.tick_params(labelsize=6.5, colors=_INK, length=2)
    axes.set_xlabel(label, fontsize=6.5, color=_INK, labelpad=2, parse_math=False)


def _write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    ha: str,
    va: str = "center",
    color: str = _INK,
    weight: str = "normal",
    in_axes_x: bool = False,
) -> None:
    place = axes.get_yaxis_transform() if in_axes_x else axes.transData
    axes.text(
        x,
        y,
        _shown(text),
        transform=place,
        fontsize=size,
        ha=ha,
        va=va,
        color=color,
        weight=weight,
        parse_math=False,
        clip_on=False,
        bbox={"facecolor": _GROUND, "edgecolor": "none", "pad": 1},
    )


def _shown(text: str) -> str:
    """Return a name as the font can draw it, in one line."""
    if len(text) > _NAME_LENGTH and "(" not in text:
        text = numbers.shortened(text, _NAME_LENGTH)
    kept = (sign for sign in " ".join(text.split()) if unicodedata.category(sign) not in ("Cf", "Cc", "Cs", "Mn"))
    return "".join(sign if ord(sign) in _drawable() else "□" for sign in kept)


@cache
def _drawable() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(_FONT)).get_charmap())


def _png(figure: Figure) -> bytes:
    content = io.BytesIO()
    FigureCanvasAgg(figure).print_png(content)  # type: ignore[no-untyped-call]  # matplotlib has no types for it
    # A figure's parts hold each other; left to the collector, the pixels of several would pile up.
    figure.clear()
    gc.collect()
    return content.getvalue()
