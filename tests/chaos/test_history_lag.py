"""Slack takes a message, the answer is lost, and its history shows the message only some seconds later."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from journeys.playing import Play, playing
from labcoat.db import outbox
from slack_sandbox.faults import FaultKind

LAG_SECONDS = 3
"""More than the two seconds until the first new try."""


@pytest.fixture
def play_settling(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Callable[[int], Play]]:
    """What makes a play whose bot waits so many seconds before it looks a message up."""
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    url = f"sqlite:///{tmp_path / 'labcoat.db'}"
    with ExitStack() as stack:
        yield lambda seconds: stack.enter_context(playing(url, environment={"LABCOAT_SETTLE_SECONDS": str(seconds)}))


@pytest.mark.parametrize(("settle_seconds", "times"), [(LAG_SECONDS + 1, 1), (0, 2)])
def test_a_message_is_there_once_if_history_shows_it_in_time_and_only_then(
    play_settling: Callable[[int], Play], settle_seconds: int, times: int
) -> None:
    play = play_settling(settle_seconds)
    play.slack.faults.add("*", FaultKind.HISTORY_LAGS, times=None, seconds=LAG_SECONDS)
    play.slack.faults.add("chat.postMessage", FaultKind.DROP_AFTER)

    play.files(play.ana)

    play.slack.wait_for(lambda: _is_all_told(play), timeout_seconds=60)
    assert len(play.channel()) == times


def _is_all_told(play: Play) -> bool:
    play.deliver()
    with play.bot.database.reading() as tx:
        return not outbox.has_unfinished(tx)
