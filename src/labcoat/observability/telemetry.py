"""What is counted for /metrics and /readyz, in this process; names and texts of people never label anything."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 10)

_requests = Histogram(
    "labcoat_request_seconds",
    "Requests of Slack, by kind and by the HTTP status of the answer.",
    ("kind", "answer"),
    buckets=_SECONDS,
)
_told = Counter("labcoat_deliveries", "Messages that were tried, by what became of them.", ("outcome",))
_ticks = Histogram("labcoat_tick_seconds", "What the clock does, by job.", ("job",), buckets=(0.1, 0.5, 1, 5, 15, 60))
_troubles = Counter("labcoat_job_errors", "Jobs of the clock that ended in a bug, by job.", ("job",))
_readings = Counter("labcoat_readings", "Readings of the team's data, by what became of them.", ("kind", "outcome"))
_last = Gauge("labcoat_last_alive_timestamp_seconds", "When a part last said that it runs.", ("part",))


def answered(kind: str, status: int, *, seconds: float) -> None:
    """Count a request of Slack. kind: of `slack.payloads.Kind`."""
    _requests.labels(kind, str(status)).observe(seconds)


def told(outcome: str) -> None:
    """Count a try to deliver: sent, retried, held, dead."""
    _told.labels(outcome).inc()


def read(kind: str, *, is_problem: bool) -> None:
    """Count a reading of the team's data. kind: look, count, baseline."""
    _readings.labels(kind, "problem" if is_problem else "made").inc()


def failed(job: str) -> None:
    """Count a bug in a job of the clock."""
    _troubles.labels(job).inc()


@contextmanager
def timed(job: str) -> Iterator[None]:
    """Measure a job of the clock."""
    began = time.monotonic()
    yield
    _ticks.labels(job).observe(time.monotonic() - began)


class Heartbeat:
    """When a part of this process last ran; by a steady clock, so that no clock change makes it look dead."""

    def __init__(self, part: str) -> None:
        self.part = part
        self._last: float | None = None

    def beat(self) -> None:
        """Say that it runs."""
        self._last = time.monotonic()
        _last.labels(self.part).set_to_current_time()

    def age_seconds(self) -> float | None:
        """Return how long ago it last ran, None if it did not yet."""
        return None if self._last is None else time.monotonic() - self._last
