"""Serves until told to stop, and stops without leaving anybody unanswered."""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

_log = logging.getLogger(__name__)

_SWITCH_SECONDS = 0.0005
"""A tenth of Python's own. A listener lets go of the interpreter at each of its twenty statements; to get it back it
waits this long for every thread that computes, be it one that delivers (decision 42).
"""


def run(web: Starlette, *, host: str, port: int, stop_seconds: float) -> None:
    """Serve until SIGTERM or SIGINT; then take nothing new, finish what runs, and return.

    stop_seconds: after which the process ends all the same, with exit code 0: what still runs then is picked up by
    its lease. A second signal ends it at once.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    # What was made until now stays to the end. Looking through all of it for garbage would take a quarter of a second.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(web, host=host, port=port, log_level="warning", log_config=None, ws="none")
    try:
        _Server(config, stop_seconds=stop_seconds).run()
    finally:
        gc.unfreeze()  # or libraries complain at the end of what nobody let go of


class _Server(uvicorn.Server):
    """uvicorn's server, but for its signals: it would end itself by the one it got, after an orderly stop too."""

    def __init__(self, config: uvicorn.Config, *, stop_seconds: float) -> None:
        super().__init__(config)
        self._stop_seconds = stop_seconds

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Listen to signals while this serves."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        yield
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  a signal handler's shape
        """Begin to stop; leave at once when told again."""
        if self.should_exit:
            _leave("told again")
        self.should_exit = True
        timer = threading.Timer(self._stop_seconds, _leave, args=("out of time",))
        timer.daemon = True
        timer.start()


def _leave(why: str) -> None:
    _log.warning("stopped before everything was finished (%s); another takes it up after its lease", why)
    logging.shutdown()
    os._exit(0)
