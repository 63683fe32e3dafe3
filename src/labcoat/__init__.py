"""Labcoat: a Slack bot for teams that want to run on evidence."""

__version__ = "0.2.0"
