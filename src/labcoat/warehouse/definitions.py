"""A short hash of what decides a metric's numbers, to tell when its definition changed."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

from labcoat.domain.plan import Measuring
from labcoat.warehouse.metrics_file import Exposures, MetricsFile

_ADDED = frozenset({"time_format", "same_day", "floor"})
"""Fields that came later: left out, they change no definition, and no running plan is told that one changed."""
_WORDS = frozenset({"description", "owner", "format", "direction"})
_MEASURED = frozenset({"window_days", "pre_period_days", "cap", "floor"})
_WHERE = frozenset({"partition", "source"})


def hash_of(metrics_file: MetricsFile, name: str, measuring: Measuring, *, taken: Sequence[str] = ()) -> str:
    """Return a short hash of all that decides a metric's numbers; its words, owner and format do not.

    measuring: as it is measured, which the plan froze, whatever the file says now. taken: fields that the file leaves
    out, and a table decided.
    """
    metric = metrics_file.metrics[name]
    exposures = metrics_file.exposures[metrics_file.exposures_of(metric)]
    parts = [
        _said(exposures),
        metric.model_dump(mode="json", exclude=set(_WORDS | _MEASURED | _WHERE)),
        asdict(measuring),
    ]
    if taken:
        parts.append({"taken": list(taken)})
    return _hash(parts)


def hash_of_exposures(exposures: Exposures) -> str:
    """Return a short hash of what the metrics file says of exposures, as far as it decides numbers."""
    return _hash([_said(exposures)])


def _said(exposures: Exposures) -> dict[str, object]:
    return exposures.model_dump(mode="json", exclude=set(_WHERE - {"source"}))


def _hash(parts: Sequence[dict[str, object]]) -> str:
    for part in parts:
        for added in _ADDED & part.keys():
            if part[added] is None:
                del part[added]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
