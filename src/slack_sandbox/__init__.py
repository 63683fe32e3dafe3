"""A local Slack for trying and testing Slack apps."""
