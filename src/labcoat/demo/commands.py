"""`labcoat demo` and `labcoat demo --tour`."""

import errno
import signal
import sys
import tempfile
from pathlib import Path

from labcoat.demo import opening, stage, tour
from labcoat.demo.stage import StageError
from labcoat.demo.story import StoryError
from slack_sandbox.client import NotPossibleError


def run(*, port: int) -> int:
    """Run the demo until interrupted; return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us must not leave the bot behind
    with tempfile.TemporaryDirectory(prefix="labcoat-demo-") as folder:
        try:
            with stage.raised(Path(folder), port=port, has_past=True) as raised:
                raised.slack.set_curtain("One moment: the team's last two weeks pass by …")
                print(f"A Slack on your desk: {raised.page}", flush=True)
                opening.play(tour.new_story(raised, is_told=False))
                raised.slack.set_curtain("")
                print("Open it and follow the guide. Ctrl-C ends it; nothing stays.", flush=True)
                assert raised.bot.process is not None
                code = raised.bot.process.wait()
                return _could_not_run(f"the bot ended by itself with exit code {code}")
        except KeyboardInterrupt:
            print("\nEnded.")
        except (StageError, StoryError, NotPossibleError) as error:
            return _could_not_run(str(error))
        except OSError as error:
            hint = f"; try labcoat demo --port {port + 10}" if error.errno == errno.EADDRINUSE else ""
            return _could_not_run(f"{error.strerror}{hint}")
    return 0


def play_tour() -> int:
    """Play the tour; return 0 only if every step really happened."""
    with tempfile.TemporaryDirectory(prefix="labcoat-tour-") as folder:
        try:
            with stage.raised(Path(folder), has_past=True) as raised:
                tour.play(raised)
        except (StageError, StoryError, NotPossibleError) as error:
            print(f"\nThe tour stopped: {error}", file=sys.stderr)
            return 1
    return 0


def _could_not_run(why: str) -> int:
    print(f"The demo could not run: {why}", file=sys.stderr)
    return 1
