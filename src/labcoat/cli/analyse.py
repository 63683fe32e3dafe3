"""`labcoat analyse`: print what a file of an experiment says, without Slack."""

import argparse
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labcoat.cli.database import refuse

if TYPE_CHECKING:
    from labcoat.usecases.experiments.analysis import Question
    from labcoat.warehouse.files.asked import MetricColumns

_ANALYSE = """\
Print what a CSV, Excel or Parquet file of an experiment says, with the statistics that Labcoat uses in Slack.

  labcoat analyse players.csv --variant version --metric retention_7 --guardrail retention_1
  labcoat analyse users.csv --variant arm --metric clicks/views --metric orders~orders_before --unit user
  labcoat analyse totals.csv --variant arm --count users --metric buyers --metric revenue,revenue_sd

A METRIC is a column of numbers per unit (0 and 1 only: a proportion), a ratio of two columns, A/B, or a column with a
covariate from before the experiment, A~B (CUPED; A/B~C/D for a ratio). With --count every row has a variant's totals:
a metric is then a column of successes, a rate, or a mean or sum with its deviation, A,B. What B is, its name says:
standard error (se, std_err), variance, sum of squares (sum_squares); else it is the standard deviation.

Files and names of columns are those of labcoat import (docs/operate.md, Files in and out). Where two columns could be
meant, it asks for --variant, --unit or --count. What was taken, and what was left out, is printed below the verdict.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    analyse = commands.add_parser(
        "analyse",
        help="analyse an experiment from a file, without Slack",
        description=_ANALYSE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    analyse.add_argument("file", metavar="FILE", type=Path, help="a CSV, Excel or Parquet file with a header")
    analyse.add_argument("--variant", metavar="COL", help="the column with the variant (default: matched by name)")
    for role, help_ in (
        ("metric", "a goal metric: it decides"),
        ("guardrail", "a metric that must not get worse"),
        ("secondary", "a metric to explore"),
    ):
        analyse.add_argument(f"--{role}", metavar="METRIC", action="append", default=[], help=f"{help_}; repeatable")
    analyse.add_argument(
        "--down", metavar="METRIC", action="append", default=[], help="a metric where lower is better; repeatable"
    )
    analyse.add_argument(
        "--minimum-effect",
        metavar="METRIC=SIZE",
        action="append",
        default=[],
        help="smallest effect worth having: 2%%, 0.5points or 1.2",
    )
    analyse.add_argument(
        "--margin", metavar="METRIC=SIZE", action="append", default=[], help="how much worse a guardrail may get"
    )
    analyse.add_argument("--control", metavar="NAME", help="the variant to compare with (default: matched by name)")
    analyse.add_argument(
        "--weights", metavar="NAME=SHARE,...", default="", help="planned traffic split, if it was not even"
    )
    analyse.add_argument("--unit", metavar="COL", help="the column with the unit; several rows of one unit are summed")
    analyse.add_argument(
        "--count",
        metavar="COL",
        help="one row per variant, with this column as its number of units (default: matched by name)",
    )
    analyse.add_argument("--alpha", type=float, default=0.05, help="two-sided, shared by all goals (default 0.05)")
    analyse.add_argument(
        "--design",
        choices=("one-look", "confidence-sequence"),
        default="one-look",
        help="one look at the planned end (default), or a confidence sequence, valid at every look",
    )
    analyse.add_argument("--adjust", choices=("holm", "bh", "ebh"), help="also adjust for exploring all metrics")
    analyse.add_argument(
        "--bayes",
        metavar="SD",
        type=float,
        help="also show a Bayesian view; the prior's standard deviation of lifts, for example 0.1 for 10 %%",
    )
    analyse.add_argument("--details", action="store_true", help="also show how wide the intervals are")
    analyse.add_argument("--json", action="store_true", help="print the readout as JSON only")
    analyse.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from labcoat.domain.refusal import Refusal
    from labcoat.stats import entry
    from labcoat.stats.results import Adjustment
    from labcoat.usecases.experiments import analysis
    from labcoat.warehouse.errors import SourceError
    from labcoat.words import analysis as words
    from labcoat.words import refusals

    try:
        found = analysis.analyse(_question(given))
        estimates = found.readout.estimates
        if given.json:
            print(analysis.as_json(found))
            print(found.taken.text, file=sys.stderr)
            return 0
        print(words.page(found, is_detailed=given.details))
        if given.adjust:
            adjustment = Adjustment(given.adjust)
            print(words.explored(found, adjustment, entry.adjusted(estimates, adjustment, alpha=given.alpha)))
        if given.bayes is not None:
            views = tuple(entry.chances(one, prior_deviation=given.bayes) for one in estimates)
            print(words.bayesian(found, views, prior_deviation=given.bayes))
    except (SourceError, ValueError) as error:
        return refuse(str(error))
    except Refusal as refusal:
        return refuse(refusals.text(refusal))
    return 0


def _question(given: argparse.Namespace) -> "Question":
    from labcoat.stats.rule import Design, Direction, Role
    from labcoat.usecases.experiments.analysis import AskedMetric, Question

    names = [_short(name) for name in (*given.metric, *given.guardrail, *given.secondary)]
    minimum = _sizes(given.minimum_effect, names)
    margin = _sizes(given.margin, [_short(name) for name in given.guardrail])
    for name in given.down:
        _require_asked(name, names)
    if not given.metric:
        raise ValueError("Name at least one --metric: what decides.")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice:
        message = f"{twice} is named twice. A metric has one role."
        raise ValueError(message)
    if not 0 < given.alpha < 0.5:
        message = f"--alpha is between 0 and 0.5; {given.alpha:g} is not."
        raise ValueError(message)
    if given.bayes is not None and not 0 < given.bayes < math.inf:
        raise ValueError("--bayes needs a standard deviation above 0, as 0.1.")
    if given.adjust and (given.adjust == "ebh") != (given.design == "confidence-sequence"):
        raise ValueError("--adjust ebh goes with --design confidence-sequence, holm and bh with one look.")
    return Question(
        path=given.file,
        variant=given.variant,
        metrics=tuple(
            AskedMetric(
                name=_short(name),
                role=role,
                columns=_columns(name, is_total=given.count is not None or "," in name),
                direction=Direction.DOWN if _short(name) in given.down else Direction.UP,
                minimum_effect=minimum.get(_short(name), ""),
                margin=margin.get(_short(name), ""),
            )
            for role, asked in (
                (Role.GOAL, given.metric),
                (Role.GUARDRAIL, given.guardrail),
                (Role.SECONDARY, given.secondary),
            )
            for name in asked
        ),
        design=Design.ONE_LOOK if given.design == "one-look" else Design.CONFIDENCE_SEQUENCE,
        alpha=given.alpha,
        control=given.control,
        weights={name: _number(share) for name, share in _pairs(given.weights.split(",") if given.weights else [])},
        unit=given.unit,
        count=given.count,
    )


def _short(metric: str) -> str:
    """Return what a metric is called: its columns without covariate and standard deviation."""
    return metric.partition("~")[0].partition(",")[0]


def _columns(metric: str, *, is_total: bool) -> "MetricColumns":
    from labcoat.warehouse.files.asked import MetricColumns

    if "" in re.split("[~/,]" if not is_total else ",", metric):
        message = f"“{metric}” is no metric. Write a column, A/B or A~B."
        raise ValueError(message)
    if is_total:
        value, _, deviation = metric.partition(",")
        return MetricColumns(value=value, deviation=deviation or None)
    after, _, before = metric.partition("~")
    value, _, denominator = after.partition("/")
    covariate, _, covariate_denominator = before.partition("/")
    if before and bool(denominator) != bool(covariate_denominator):
        message = f"{metric}: the covariate of a ratio is a ratio, A/B~C/D, and that of a column is a column, A~B."
        raise ValueError(message)
    return MetricColumns(
        value=value,
        denominator=denominator or None,
        covariate=covariate or None,
        covariate_denominator=covariate_denominator or None,
    )


def _sizes(given: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    sizes = dict(_pairs(given))
    for name in sizes:
        _require_asked(name, names)
    return sizes


def _require_asked(name: str, names: Sequence[str]) -> None:
    if name not in names:
        message = f"{name} is none of the metrics that this can be said of: {', '.join(names) or 'none were named'}."
        raise ValueError(message)


def _pairs(given: Sequence[str]) -> list[tuple[str, str]]:
    pairs = []
    for text in given:
        name, equals, value = text.rpartition("=")
        if not equals or not name or not value:
            message = f"{text} is not understood. Write NAME=VALUE."
            raise ValueError(message)
        pairs.append((name, value))
    return pairs


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        message = f"{text} is not a number."
        raise ValueError(message) from None
