"""`labcoat demo` and `labcoat demo --tour`."""

import errno
import signal
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from labcoat.demo import people, stage
from labcoat.demo.stage import Stage, StageFailed, next_monday
from labcoat.demo.tour import TourFailed, play


def run(*, port: int) -> int:
    """Run the demo until interrupted; return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us must not leave the bot behind
    with tempfile.TemporaryDirectory(prefix="labcoat-demo-") as folder:
        try:
            with stage.raised(Path(folder), port=port) as raised:
                print(f"A Slack on your desk: {raised.page}")
                print("Type /hypothesis in #search-experiments; E-1 to E-3 will find data. Nothing stays when it ends.")
                _move_time(raised)
        except KeyboardInterrupt:
            print("\nEnded.")
        except StageFailed as error:
            return _could_not_run(str(error))
        except OSError as error:
            hint = f"; try labcoat demo --port {port + 10}" if error.errno == errno.EADDRINUSE else ""
            return _could_not_run(f"{error.strerror}{hint}")
    return 0


def _could_not_run(why: str) -> int:
    print(f"The demo could not run: {why}", file=sys.stderr)
    return 1


def _move_time(raised: Stage) -> None:
    """Let the person at the terminal move business time, until they end it."""
    print("Enter moves time to the next day, m to the next Monday's digest, Ctrl-C ends it.")
    for line in sys.stdin:
        now = raised.now()
        raised.move_to(next_monday(now) if line.strip().lower() == "m" else now + timedelta(days=1))
        print(f"Now it is {raised.now().astimezone(ZoneInfo(people.ZONE)):%a %d %b %Y %H:%M}.")
    assert raised.bot.process is not None
    raised.bot.process.wait()  # without a terminal: until it is ended from outside


def play_tour() -> int:
    """Play the tour; return 0 only if every step really happened."""
    with tempfile.TemporaryDirectory(prefix="labcoat-tour-") as folder:
        try:
            with stage.raised(Path(folder)) as raised:
                play(raised)
        except (StageFailed, TourFailed) as error:
            print(f"\nThe tour stopped: {error}", file=sys.stderr)
            return 1
    return 0
