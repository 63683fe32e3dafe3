"""The fixtures of every test of the sandbox."""

from sandbox_fixtures import ana, bot, clock, people, sandbox, slack, steady_sandbox

__all__ = ["ana", "bot", "clock", "people", "sandbox", "slack", "steady_sandbox"]
