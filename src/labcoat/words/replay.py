"""What `labcoat metrics replay` prints: who was split, how often the looks were wrong, and what the covariate saves."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta

from labcoat.stats.rule import Design
from labcoat.usecases.looks.replaying import Replayed
from labcoat.warehouse.metrics_file import Metric
from labcoat.words import numbers

_LEAST_GAIN = 0.005


def page(replayed: Replayed, metric: Metric) -> str:
    """Return the whole answer."""
    return "\n".join(_lines(replayed, metric))


def as_json(replayed: Replayed) -> str:
    """Return the same as JSON."""
    shown = asdict(replayed) | {"is_within": replayed.is_within}
    for one, calls in zip(shown["calls"], replayed.calls, strict=True):
        one["share"] = calls.share
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str)


def _lines(replayed: Replayed, metric: Metric) -> Iterator[str]:
    mean = numbers.mean(replayed.mean, replayed.kind, format_=metric.format)
    last = replayed.until - timedelta(days=1)
    units = numbers.counted(replayed.exposed, "unit")
    yield f"{replayed.metric}: {mean} over {units} of exposures {replayed.exposures}, {_day(replayed.since)} to {_day(last)}."
    if replayed.window_days:
        window = numbers.days(replayed.window_days)
        yield f"{numbers.count(replayed.counted)} of them count by the end: the window of {window} has closed for these."
    if replayed.incomplete:
        left_out = numbers.count(replayed.incomplete)
        yield f"Left out: {left_out} of {numbers.counted(replayed.rows, 'row')} without a unit, variant or time."
    yield ""
    yield f"Split at random {replayed.splits:,} times (seed {replayed.seed}). The halves differ in nothing, so every call is false."
    yield ""
    yield _table(replayed)
    yield ""
    yield _conclusion(replayed)
    if replayed.is_growing:
        yield (
            "A unit's value keeps growing, so only the confidence sequence is offered, and weekly looks are replayed. "
            "With `window_days` a plan needs fewer units."
        )
    elif any(one.design is Design.CONFIDENCE_SEQUENCE for one in replayed.calls):
        yield (
            "A confidence sequence calls less than it may: it holds at any moment, also after the planned end. "
            "Group sequential is what plans take."
        )
    yield _covariate(replayed, metric)


def _table(replayed: Replayed) -> str:
    rows = [("design and looks", "false calls", "95 % interval", "promised", "wins / harms", "uneven splits", "")]
    for one in replayed.calls:
        promised = f"at most {numbers.share(one.alpha, decimals=0)}"
        rows.append(
            (
                f"{one.design}{_looks(one.looks)}",
                f"{one.false_calls} = {numbers.share(one.share, decimals=1)}",
                f"{100 * one.low:.1f} to {numbers.share(one.high, decimals=1)}",
                promised,
                f"{one.wins} / {one.harms}",
                str(one.uneven),
                "more than promised" if one.is_more else "above, chance can do that" if one.low > one.alpha else "kept",
            )
        )
    return numbers.aligned(rows)


def _looks(days: tuple[int, ...]) -> str:
    """Return how often people look.

    >>> _looks((7, 14, 21)), _looks((1, 2, 3)), _looks((28,))
    (', 3 weekly looks', ', 3 daily looks', '')
    """
    if len(days) == 1:
        return ""
    return f", {len(days)} {'daily' if days[0] == 1 else 'weekly'} looks"


def _conclusion(replayed: Replayed) -> str:
    wrong = [one for one in replayed.calls if one.is_more]
    if not wrong:
        return "Every plan keeps what it promises on these data, as far as so many splits can tell."
    names = numbers.listed([f"{one.design}{_looks(one.looks)}" for one in wrong])
    return (
        f"More is called than promised: {names}. Chance alone does that in 1 of 200 replays, so try another `--seed`. "
        "If it stays, a few huge values may decide the mean: set a `cap`, or cap lower."
    )


def _covariate(replayed: Replayed, metric: Metric) -> str:
    if replayed.gain is not None and replayed.gain >= _LEAST_GAIN:
        saved = numbers.share(replayed.gain, decimals=0)
        return f"CUPED takes away {saved} of the variance: a plan needs {saved} fewer units than without it."
    if replayed.gain is not None:
        return "CUPED saves next to nothing here: what units did before says little of what they do after."
    if replayed.has_covariate:
        return (
            "CUPED saves nothing: the covariate is the same for all units. Do its rows reach back before the exposures?"
        )
    how = (
        "`pre_period_days`"
        if metric.has_own_rows and metric.time
        else "a `covariate` that is known before the exposure"
    )
    return f"CUPED is not used. With {how} a plan may need fewer units; replay the metric again to see."


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
