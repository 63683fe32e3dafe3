"""Slack's requests as bytes on the wire: signed, and no two alike, so that none is taken for a replay."""

import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from labcoat.demo import people
from slack_sandbox.outbound import FORM, signature

SECRET = "benchmark-signing-secret"
EXPERIMENTS = 20
"""Entries and edits are spread over some experiments: nobody types in hundreds for one."""

_TEAM = people.workspace().team.id


class Requests:
    """Makes requests by kind. respond_url: what clicks are answered at. first: numbers begin here in this process."""

    def __init__(self, *, respond_url: str, first: int, experiments: int = EXPERIMENTS) -> None:
        self._respond_url = respond_url
        self._experiments = experiments
        self._numbers = itertools.count(first)
        self._kinds: dict[str, Callable[[int], dict[str, str]]] = {
            "echo": lambda number: self._command(number, "/echo", f"round {number}"),
            "insert": lambda number: self._command(number, "/insert", f"round {number}"),
            "help": lambda number: self._command(number, "/hypothesis", "help"),
            "read": lambda number: self._command(number, "/experiment", f"result {self._experiment(number)}"),
            "record": lambda number: self._command(number, "/experiment", f"record {self._totals(number)}"),
            "click": self._click,
            "edit": self._edit,
            "file": self._file,
        }

    def make(self, kind: str) -> bytes:
        """Return one whole HTTP request."""
        body = urlencode(self._kinds[kind](next(self._numbers))).encode()
        headers = {"Host": "bot", "Content-Type": FORM, "Content-Length": str(len(body)), **signature(SECRET, body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /slack/events HTTP/1.1\r\n{head}\r\n".encode() + body

    def _command(self, number: int, command: str, text: str) -> dict[str, str]:
        return {
            "command": command,
            "text": text,
            "user_id": people.ANA,
            "channel_id": people.CHANNEL,
            "team_id": _TEAM,
            "response_url": self._respond_url,
            "trigger_id": f"1.2.{number}",
        }

    def _click(self, number: int) -> dict[str, str]:
        value = self._totals(number)
        action = {"type": "button", "action_id": "correct", "block_id": "b", "value": value, "action_ts": str(number)}
        return _interaction(
            number,
            "block_actions",
            {"channel": {"id": people.CHANNEL}, "actions": [action], "response_url": self._respond_url},
        )

    def _edit(self, number: int) -> dict[str, str]:
        """Give a hypothesis another tag: read, save, history, and the notices of card and thread."""
        values = {"tags": {"a": {"type": "plain_text_input", "value": f"tag{number}"}}}
        subject = f"H-{number % self._experiments + 1}"
        return _submission(number, "edit", values, {"subject": subject, "seen": 10**9})

    def _experiment(self, number: int) -> str:
        return f"E-{number % self._experiments + 1}"

    def _totals(self, number: int) -> str:
        units = 20_000 + 20 * number
        return f"{self._experiment(number)} control={units // 8}/{units} treatment={units // 8 + 40}/{units + 5}"

    def _file(self, number: int) -> dict[str, str]:
        texts = {"change": f"Change number {number}", "metric": "orders per user", "because": "Five people asked"}
        values: dict[str, Any] = {block: {"a": {"type": "plain_text_input", "value": t}} for block, t in texts.items()}
        values["channel"] = {"a": {"type": "conversations_select", "selected_conversation": people.CHANNEL}}
        values["direction"] = {"a": {"type": "radio_buttons", "selected_option": {"value": "up"}}}
        return _submission(number, "file", values, {"subject": "", "is_reviewed": True})


def _submission(number: int, callback: str, values: dict[str, Any], metadata: dict[str, Any]) -> dict[str, str]:
    view = {
        "id": f"V{number}",
        "type": "modal",
        "callback_id": callback,
        "title": {"type": "plain_text", "text": "A form"},
        "private_metadata": json.dumps({"channel": people.CHANNEL, **metadata}),
        "blocks": [{"type": "input", "block_id": block} for block in values],
        "state": {"values": values},
    }
    return _interaction(number, "view_submission", {"view": view})


def _interaction(number: int, kind: str, more: dict[str, Any]) -> dict[str, str]:
    payload = {
        "type": kind,
        "team": {"id": _TEAM, "domain": "marketplace"},
        "user": {"id": people.ANA, "username": "ana", "team_id": _TEAM},
        "is_enterprise_install": False,
        "trigger_id": f"1.2.{number}",
        **more,
    }
    return {"payload": json.dumps(payload)}
