"""The background of one process: the ticks and the threads that deliver."""

from collections.abc import Callable

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from labcoat.observability.telemetry import Heartbeat
from labcoat.worker.delivery_threads import DeliveryThreads
from labcoat.worker.schedule import Jobs, attempt

TICK_SECONDS = 15
FILES_SECONDS = 2
"""Somebody waits for a file."""


class Background:
    """The ticks and the deliverers in the background, until `stop`. ticking, delivering: told that they run.

    is_busy: whether somebody waits for an answer.
    """

    def __init__(self, jobs: Jobs, *, deliverers: int, is_busy: Callable[[], bool] = lambda: False) -> None:
        self._jobs = jobs
        self.ticking, self.delivering = Heartbeat("tick"), Heartbeat("delivery")
        # A thread for each job: whatever hangs in one of them, the others go on.
        threads = ThreadPoolExecutor(4 + len(jobs.sources))
        self._scheduler = BackgroundScheduler(timezone="UTC", executors={"default": threads})
        self._repeat(self._tick, seconds=TICK_SECONDS)
        self._repeat(self._ask, seconds=TICK_SECONDS)
        self._repeat(self._work, seconds=FILES_SECONDS)
        self._repeat(self._measure, seconds=TICK_SECONDS)
        for source in jobs.sources:
            self._repeat(self._read, source, seconds=TICK_SECONDS)
        self._deliverers = DeliveryThreads(self._deliver, number=deliverers, is_busy=is_busy)

    def start(self) -> None:
        """Start ticking and delivering."""
        self._jobs.database.on_notices = self._deliverers.ring
        self.ticking.beat()
        self.delivering.beat()
        self._scheduler.start()
        self._deliverers.start()

    def stop(self) -> None:
        """Stop after what is being done now."""
        self._scheduler.pause()
        self._deliverers.stop()
        self._scheduler.shutdown(wait=True)

    def _repeat(self, job: Callable[..., None], *arguments: str | None, seconds: float) -> None:
        # One that comes late must still come, and of several missed ones one is enough.
        self._scheduler.add_job(
            job,
            "interval",
            args=arguments,
            seconds=seconds,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )

    def _deliver(self) -> bool:
        was_something = self._jobs.try_to_deliver()
        self.delivering.beat()
        return was_something

    def _tick(self) -> None:
        if attempt(self._jobs.keep_time):
            self.ticking.beat()

    def _read(self, source: str | None) -> None:
        attempt(self._jobs.read_source, source)

    def _ask(self) -> None:
        attempt(self._jobs.ask_about_people)

    def _work(self) -> None:
        attempt(self._jobs.work_on_files)

    def _measure(self) -> None:
        attempt(self._jobs.measure_baselines)
