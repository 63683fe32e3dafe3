"""`labcoat demo` and `labcoat demo --tour`."""

import sys
import tempfile
from pathlib import Path

from labcoat.demo import stage
from labcoat.demo.stage import StageFailed
from labcoat.demo.tour import TourFailed, play


def run(*, port: int) -> int:
    """Run the demo until interrupted; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="labcoat-demo-") as folder:
        try:
            with stage.raised(Path(folder), port=port) as raised:
                print(f"A Slack on your desk: {raised.page}")
                print("Type /hypothesis in #search-experiments. Ctrl-C ends it, and nothing stays.")
                assert raised.bot.process is not None
                raised.bot.process.wait()
        except KeyboardInterrupt:
            print("\nEnded.")
        except (StageFailed, OSError) as error:
            print(f"The demo could not run: {error}", file=sys.stderr)
            return 1
    return 0


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
