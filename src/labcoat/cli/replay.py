"""`labcoat metrics replay`: split past units at random and see how often the looks call what is not there."""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from labcoat.cli.database import refuse

if TYPE_CHECKING:
    from labcoat.warehouse.metrics_file import MetricsFile

_REPLAY = """\
Try Labcoat on your own past. Recent units are split at random into two halves, many times; nothing differs between
the halves, so whatever a look calls is false. Shown is how often that happens beside what a plan promises, and what
the covariate (CUPED) saves.

  labcoat metrics replay revenue
  labcoat metrics replay revenue metrics.yml --days 42 --until 2026-03-31

Your database only reads, and sums come back. No experiment is touched and no look is spent. Exit code 1 if more is
called than chance explains.
"""
_SEED = 1


def add(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    load: "Callable[[argparse.Namespace], MetricsFile | None]",
) -> None:
    """Add the verb. load: returns the metrics file, or has said what is wrong with it."""
    replay = verbs.add_parser(
        "replay",
        help="measure false alarms on your own data",
        description=_REPLAY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    replay.add_argument("metric", metavar="METRIC", help="a metric of the metrics file")
    replay.add_argument("file", metavar="FILE", nargs="?", type=Path, help="use this file instead of LABCOAT_METRICS")
    replay.add_argument("--exposures", metavar="NAME", help="take units from these exposures (default: the metric's)")
    replay.add_argument("--days", type=int, default=28, help="length of the replayed experiment in days (default 28)")
    replay.add_argument("--until", metavar="DATE", help="its last day (default: the day before yesterday)")
    replay.add_argument(
        "--splits", type=int, help="number of random splits (default 500; 50 for a metric that keeps growing)"
    )
    replay.add_argument("--seed", type=int, default=_SEED, help="the same seed gives the same splits (default 1)")
    replay.add_argument("--json", action="store_true", help="print JSON only")
    replay.set_defaults(run=lambda given: _run(given, load))


def _run(given: argparse.Namespace, load: "Callable[[argparse.Namespace], MetricsFile | None]") -> int:
    from labcoat.usecases.looks import replaying
    from labcoat.warehouse import population
    from labcoat.warehouse.errors import SourceError
    from labcoat.words import replay as words

    metrics_file = load(given)
    if metrics_file is None:
        return 1
    if wrong := _wrong(given, list(metrics_file.exposures)):
        return refuse(wrong)
    last = _day(given.until)
    try:
        replayed = replaying.replay(
            metrics_file,
            given.metric,
            exposures=given.exposures,
            until=last + timedelta(days=1) if last else population.recent(datetime.now(UTC)).rows_until,
            days=given.days,
            splits=given.splits,
            seed=given.seed,
            told=_tell if sys.stderr.isatty() else lambda _done, _of: None,
        )
    except SourceError as error:
        if sys.stderr.isatty():
            print(file=sys.stderr)
        return refuse(error.message)
    print(words.as_json(replayed) if given.json else words.page(replayed, metrics_file.metrics[given.metric]))
    return 0 if replayed.is_within else 1


def _wrong(given: argparse.Namespace, exposures: list[str]) -> str | None:
    """Return what is wrong with the options, None if nothing is."""
    from labcoat.usecases.looks import replaying

    if given.exposures is not None and given.exposures not in exposures:
        return f"There are no exposures {given.exposures}. The file has: {', '.join(exposures)}."
    if not 1 <= given.days <= replaying.MOST_DAYS:
        return f"--days must be 1 to {replaying.MOST_DAYS}."
    if given.splits is not None and not 1 <= given.splits <= replaying.MOST_SPLITS:
        return f"--splits must be 1 to {replaying.MOST_SPLITS:,}."
    if given.seed < 0:
        return "--seed must be 0 or more."
    if given.until is not None and _day(given.until) is None:
        return f"--until must be a day, as 2026-03-31; `{given.until}` is none."
    return None


def _day(text: str | None) -> datetime | None:
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _tell(done: int, of: int) -> None:
    """Say on a terminal how far the reading is; the line is gone at the end."""
    said = f"{done} of {of} queries answered"
    print(f"\r{said}" if done < of else f"\r{' ' * len(said)}\r", end="", file=sys.stderr, flush=True)
