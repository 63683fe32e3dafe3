"""Identifiers: Slack's are opaque text, ours are numbers counted per workspace and shown as H-12 and E-7."""

from typing import NewType

WorkspaceId = NewType("WorkspaceId", str)
UserId = NewType("UserId", str)
ChannelId = NewType("ChannelId", str)
HypothesisNumber = NewType("HypothesisNumber", int)
ExperimentNumber = NewType("ExperimentNumber", int)
