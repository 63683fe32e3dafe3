"""The command line of the sandbox: `python -m slack_sandbox`, and `labcoat sandbox` with the same arguments."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a sandbox until interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m slack_sandbox", description="A local Slack for any Bolt app.")
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sandbox's arguments to a parser."""
    parser.add_argument("--app-url", help="where the app receives Slack's requests; without it, use Socket Mode")
    parser.add_argument("--signing-secret", default="unused", help="the app verifies signatures with this")
    parser.add_argument("--port", type=int, default=8010, help="port of the page and the Web API (default 8010)")
    parser.add_argument("--clock-url", help="where to move the app's own clock, if it has one")
    parser.add_argument("--workspace", metavar="FILE", type=Path, help="people, channels and commands, as JSON")


def run(given: argparse.Namespace) -> int:
    """Serve a sandbox until interrupted; return the exit code."""
    # Only here, so that `labcoat --help` stays fast.
    from pydantic import ValidationError

    from slack_sandbox import serving

    try:
        serving.run(
            port=given.port,
            app_url=given.app_url,
            signing_secret=given.signing_secret,
            workspace_file=given.workspace,
            clock_url=given.clock_url,
        )
    except (OSError, ValidationError) as error:
        print(f"The sandbox could not run: {error}", file=sys.stderr)
        return 1
    return 0
