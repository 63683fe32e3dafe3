"""The threads that empty the outbox: woken when something was put there, each telling one notice at a time.

Several, so that a channel or workspace that answers slowly does not keep the others waiting.
"""

import threading
from collections.abc import Callable

POLL_SECONDS = 1.0
BREATH_SECONDS = 0.05
"""Between two notices, so that a long outbox leaves the interpreter to people who click; Slack wants it slower yet.
Also between the bell and the look at the outbox: what is put there meanwhile is found by the same look.
"""
COURTESY_SECONDS = 0.06
"""Between two notices of all threads together while people click: who clicks waits, who reads does not."""
STOP_SECONDS = 30.0


class DeliveryThreads:
    """Threads that call `deliver` until it returns False, and again when the bell rings or a second has passed.

    is_busy: whether people click just now, to whom they leave most of the interpreter.
    """

    def __init__(self, deliver: Callable[[], bool], *, number: int, is_busy: Callable[[], bool]) -> None:
        self._deliver = deliver
        self._is_busy = is_busy
        self._one_at_a_time = threading.Lock()
        self._bell = threading.Condition()
        self._has_rung = self._is_about_to_look = False
        self._is_stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"delivery-{index}", daemon=True) for index in range(number)
        ]

    def start(self) -> None:
        """Start delivering."""
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """Wake one: there is something to tell. It wakes the next if it found something."""
        with self._bell:
            self._has_rung = True
            if not self._is_about_to_look:
                self._bell.notify()

    def stop(self) -> None:
        """Stop after what is being told now."""
        self._is_stopping.set()
        with self._bell:
            self._bell.notify_all()
        for thread in self._threads:
            thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while self._waits_its_turn():
            if self._deliver():
                self.ring()
                self._is_stopping.wait(BREATH_SECONDS)
            else:
                self._wait()

    def _waits_its_turn(self) -> bool:
        """Return False once it is to stop."""
        with self._one_at_a_time:
            if self._is_busy():
                self._is_stopping.wait(COURTESY_SECONDS)
        return not self._is_stopping.is_set()

    def _wait(self) -> None:
        with self._bell:
            if not self._has_rung and not self._is_stopping.is_set():
                self._bell.wait(POLL_SECONDS)
            if not self._has_rung:
                return
            self._has_rung, self._is_about_to_look = False, True
        self._is_stopping.wait(BREATH_SECONDS)
        with self._bell:
            self._has_rung = self._is_about_to_look = False
