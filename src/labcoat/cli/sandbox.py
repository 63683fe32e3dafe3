"""`labcoat sandbox`: the local Slack by itself, for any Bolt app."""

import argparse

from slack_sandbox import command


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    sandbox = commands.add_parser("sandbox", help="a local Slack for any Bolt app")
    command.add_arguments(sandbox)
    sandbox.set_defaults(run=command.run)
