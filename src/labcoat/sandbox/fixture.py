"""A pytest fixture: a local Slack for each test of any Bolt app.

In a test file or conftest.py: `from labcoat.sandbox.fixture import slack_sandbox`. A test then gives its app
`slack_sandbox.api_url` as the Web API, tells `slack_sandbox.app_url` where the app listens, and acts as people with
`SandboxClient(slack_sandbox.url)`.
"""

from collections.abc import Iterator

import pytest

from labcoat.sandbox.serving import RunningSandbox, running_sandbox


@pytest.fixture
def slack_sandbox() -> Iterator[RunningSandbox]:
    """A small team's Slack on a free port, until the test ends."""
    with running_sandbox() as running:
        yield running
