"""The background of one process: the ticks and the threads that deliver."""

from apscheduler.schedulers.background import BackgroundScheduler

from labcoat.delivering import Deliverers
from labcoat.figures import Pulse
from labcoat.jobs import Jobs, attempt

TICK_SECONDS = 15
FILES_SECONDS = 2
"""Somebody waits for a file."""


class Running:
    """The ticks and the deliverers in the background, until `stop`. ticking, delivering: told that they run."""

    def __init__(self, jobs: Jobs, *, deliverers: int) -> None:
        self._jobs = jobs
        self.ticking, self.delivering = Pulse("tick"), Pulse("delivery")
        self._scheduler = BackgroundScheduler(timezone="UTC")
        # A tick that comes late must still come, and of several missed ones one is enough.
        for job in (self._tick, self._read, self._ask):
            self._scheduler.add_job(
                job, "interval", seconds=TICK_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=None
            )
        self._scheduler.add_job(
            self._work, "interval", seconds=FILES_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._deliverers = Deliverers(self._deliver, number=deliverers)

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

    def _deliver(self) -> bool:
        was_something = self._jobs.try_to_deliver()
        self.delivering.beat()
        return was_something

    def _tick(self) -> None:
        if attempt(self._jobs.keep_time):
            self.ticking.beat()

    def _read(self) -> None:
        attempt(self._jobs.read_sources)

    def _ask(self) -> None:
        attempt(self._jobs.ask_about_people)

    def _work(self) -> None:
        attempt(self._jobs.work_on_files)
