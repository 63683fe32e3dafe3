"""Who clicks goes before who reads: while people click, what is to be told waits for its turn."""

from threading import Event

import pytest

from labcoat.worker import delivery_threads
from labcoat.worker.delivery_threads import DeliveryThreads

NOBODY_WAITS_SO_LONG = 3600.0


@pytest.mark.parametrize("is_busy", [True, False])
def test_what_is_to_be_told_waits_while_people_click(monkeypatch: pytest.MonkeyPatch, *, is_busy: bool) -> None:
    monkeypatch.setattr(delivery_threads, "COURTESY_SECONDS", NOBODY_WAITS_SO_LONG)
    was_told = Event()

    def deliver() -> bool:
        was_told.set()
        return False

    deliverers = DeliveryThreads(deliver, number=2, is_busy=lambda: is_busy)
    deliverers.start()
    deliverers.ring()
    told = was_told.wait(0.3 if is_busy else 10)
    deliverers.stop()  # and does not wait out the courtesy

    assert told is not is_busy


def test_however_much_people_click_all_is_told_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_threads, "COURTESY_SECONDS", 0.01)
    left, is_empty = ["three", "two", "one"], Event()

    def deliver() -> bool:
        if left:
            left.pop()
            return True
        is_empty.set()
        return False

    deliverers = DeliveryThreads(deliver, number=1, is_busy=lambda: True)
    deliverers.start()
    is_empty.wait(10)
    deliverers.stop()

    assert left == []
