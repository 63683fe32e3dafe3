"""`labcoat metrics`: list what the metrics file has, and try it on the data that it names."""

import argparse
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from labcoat.cli import replay
from labcoat.cli.database import refuse

if TYPE_CHECKING:
    from labcoat.warehouse.metrics_file import MetricsFile

_CHECK = """\
Try every source, exposures and metric of the metrics file (LABCOAT_METRICS, or FILE) on the data that it names.

  labcoat metrics check
  labcoat metrics check metrics.yml --metric revenue --experiment E-7

It prints units per variant, and each metric's value over all variants together: checking spends no look. Exit code 1
if there is an error; each has its line in the file and says what to do. Warnings alone leave it at 0.
"""

_BASELINES = """\
Measure what plans begin with: each metric's baseline, deviation, units a day and what CUPED saves, over the units that
were exposed in the last four weeks, in whatever experiment and variant. `labcoat serve` does it every night and stores
it; this prints it and stores nothing.

  labcoat metrics baselines
  labcoat metrics baselines metrics.yml --metric revenue

Exit code 1 if a metric can't be measured; its line says why.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its verbs."""
    metrics = commands.add_parser("metrics", help="list, check and measure the metrics in the metrics file")
    verbs = metrics.add_subparsers(dest="verb", metavar="check | list | baselines | replay", required=True)
    check = verbs.add_parser(
        "check",
        help="check the metrics file against your data",
        description=_CHECK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("--metric", metavar="NAME", action="append", default=[], help="only this metric; repeatable")
    check.add_argument("--experiment", metavar="KEY", help="check metrics on this experiment (default: the newest)")
    check.set_defaults(run=_run_check)
    listed = verbs.add_parser("list", help="list the metrics and what they mean")
    listed.set_defaults(run=_run_list)
    replay.add(verbs, load=lambda given: _loaded(_path(given)))
    baselines = verbs.add_parser(
        "baselines",
        help="measure baselines for plans",
        description=_BASELINES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    baselines.add_argument("--metric", metavar="NAME", action="append", default=[], help="only this metric; repeatable")
    baselines.set_defaults(run=_run_baselines)
    for verb in (check, listed, baselines):
        verb.add_argument("file", metavar="FILE", nargs="?", type=Path, help="use this file instead of LABCOAT_METRICS")
        verb.add_argument("--json", action="store_true", help="print JSON only")


def _run_check(given: argparse.Namespace) -> int:
    from labcoat.warehouse import checking, yaml_document
    from labcoat.words import metrics as words

    path = _path(given)
    metrics_file = _loaded(path)
    if path is None or metrics_file is None:
        return 1
    for name in given.metric:
        if name not in metrics_file.metrics:
            return refuse(f"There is no metric {name}. {_hint(name, metrics_file.metrics)}")
    now = datetime.now(UTC)
    checked = checking.check(
        metrics_file, names=given.metric or tuple(metrics_file.metrics), key=given.experiment, now=now
    )
    keys = {arm.key for one in checked.exposures for arm in one.arms if arm.key is not None}
    if given.experiment is not None and given.experiment not in keys and not checked.troubles:
        return refuse(
            f"There are no exposures of {given.experiment} in the data. {_hint(given.experiment, sorted(keys))}"
        )
    lines = yaml_document.read(path)
    troubles = [(lines.line(one.place), one.message) for one in checked.troubles]
    warnings = [(lines.line(one.place), one.message) for one in checked.warnings]
    if given.json:
        print(words.as_json(checked, troubles, warnings=warnings))
    else:
        print(words.page(checked, troubles, metrics_file, path=path, now=now, warnings=warnings))
    return 1 if troubles else 0


def _run_list(given: argparse.Namespace) -> int:
    from labcoat.warehouse import reading
    from labcoat.words import metrics as words

    metrics_file = _loaded(_path(given))
    if metrics_file is None:
        return 1
    described = reading.describe(metrics_file)
    print(words.list_as_json(described) if given.json else words.table(described))
    return 0


def _run_baselines(given: argparse.Namespace) -> int:
    from labcoat.warehouse import baselines, reading
    from labcoat.words import baselines as words

    metrics_file = _loaded(_path(given))
    if metrics_file is None:
        return 1
    for name in given.metric:
        if name not in metrics_file.metrics:
            return refuse(f"There is no metric {name}. {_hint(name, metrics_file.metrics)}")
    now = datetime.now(UTC)
    found = baselines.measure(metrics_file, given.metric or tuple(metrics_file.metrics), now=now)
    described = {one.name: one for one in reading.describe(metrics_file)}
    measured = {name: one for name, one in found.items() if not isinstance(one, Exception)}
    problems = {name: one.message for name, one in found.items() if isinstance(one, Exception)}
    if given.json:
        print(words.as_json(measured, problems))
    else:
        print(*words.lines([(one, described[name]) for name, one in measured.items()], problems, now=now), sep="\n")
    return 1 if problems else 0


def _path(given: argparse.Namespace) -> Path | None:
    from labcoat import settings

    path: Path | None = given.file or settings.metrics_path(os.environ)
    return path


def _loaded(path: Path | None) -> "MetricsFile | None":
    """Return the metrics file; print everything that is wrong with it otherwise."""
    from labcoat.warehouse import metrics_file

    if path is None:
        refuse("There is no metrics file. Set LABCOAT_METRICS, or name one: labcoat metrics check metrics.yml")
        return None
    try:
        return metrics_file.load(path, environment=os.environ)
    except metrics_file.MetricsFileError as error:
        refuse(str(error))
        for line, message in error.others:
            refuse(f"Line {line}: {message}")
        return None


def _hint(asked: str, known: Iterable[str]) -> str:
    by_folded = {name.casefold(): name for name in known}
    near = get_close_matches(asked.casefold(), by_folded, n=1)
    return f"Did you mean {by_folded[near[0]]}?" if near else f"There are: {', '.join(by_folded.values()) or 'none'}."
