"""A pytest fixture: a local Slack for each test of any Bolt app.

In a test file or conftest.py: `from slack_sandbox.fixture import slack_sandbox, slack_workspace`. A test then gives
its app `slack_sandbox.api_url` as the Web API, tells `slack_sandbox.app_url` where the app listens, and acts as people
with `SandboxClient(slack_sandbox.url)`. A fixture of your own named slack_workspace has your app's commands and people.
"""

from collections.abc import Iterator

import pytest

from slack_sandbox.serving import RunningSandbox, running_sandbox
from slack_sandbox.workspace import Workspace, default_workspace


@pytest.fixture
def slack_workspace() -> Workspace:
    """What the sandbox plays: a small team, unless a fixture of the same name gives another."""
    return default_workspace()


@pytest.fixture
def slack_sandbox(slack_workspace: Workspace) -> Iterator[RunningSandbox]:
    """A Slack on a free port, until the test ends."""
    with running_sandbox(slack_workspace) as running:
        yield running
