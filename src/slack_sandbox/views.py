"""Modals and Home tabs: their check against Slack's limits, the stack each person sees, and hashes."""

import json
import secrets
from collections.abc import Callable
from typing import Any

from slack_sandbox import blocks as block_rules
from slack_sandbox import inputs, limits
from slack_sandbox.limits import Problems
from slack_sandbox.wire import Json, SlackError, parsed
from slack_sandbox.workspace import Workspace

STACK_DEPTH = 3
MODAL_KEYS = frozenset(
    [
        "type",
        "title",
        "blocks",
        "close",
        "submit",
        "private_metadata",
        "callback_id",
        "clear_on_close",
        "notify_on_close",
        "external_id",
        "submit_disabled",
    ]
)
HOME_KEYS = frozenset(["type", "blocks", "private_metadata", "callback_id", "external_id"])


def read_view(value: Any, *, is_home: bool, is_shown: Callable[[str], bool]) -> Json:
    """Return a view an app sent, checked and with ids; raises SlackError as views.open answers."""
    view = parsed(value, otherwise="invalid_arguments")
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view"]})
    if len(json.dumps(view).encode()) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    problems = Problems()
    expected = "home" if is_home else "modal"
    if view.get("type") != expected:
        problems.add(f"must be {expected}", "/view/type")
    for key in view.keys() - (HOME_KEYS if is_home else MODAL_KEYS):
        problems.add(f"invalid additional property: {key}", "/view")
    _check_parts(view, is_home=is_home, problems=problems)
    if not isinstance(view.get("blocks"), list):
        problems.add("missing required field: blocks", "/view")
    else:
        if len(view["blocks"]) > limits.VIEW_BLOCKS:
            problems.add(f"no more than {limits.VIEW_BLOCKS} items allowed", "/view/blocks")
        block_rules.check_blocks(view["blocks"], "/view/blocks", problems=problems, is_shown=is_shown)
    if problems.messages:
        raise SlackError("invalid_arguments", response_metadata={"messages": problems.messages})
    return view | {"blocks": block_rules.with_ids(view["blocks"])}


def _check_parts(view: Json, *, is_home: bool, problems: Problems) -> None:
    problems.check_string(view, "private_metadata", "/view", most=limits.PRIVATE_METADATA)
    problems.check_string(view, "callback_id", "/view", most=limits.ID_TEXT)
    problems.check_string(view, "external_id", "/view", most=limits.ID_TEXT)
    if is_home:
        return
    problems.check_text(view, "title", "/view", most=limits.TITLE_TEXT)
    has_input = any(isinstance(block, dict) and block.get("type") == "input" for block in view.get("blocks") or [])
    problems.check_text(view, "submit", "/view", most=limits.TITLE_TEXT, is_required=has_input)
    problems.check_text(view, "close", "/view", most=limits.TITLE_TEXT, is_required=False)


class Views:
    """What every person has open."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._stacks: dict[str, list[Json]] = {}
        self._homes: dict[str, Json] = {}

    def stack(self, user: str) -> list[Json]:
        """Return a person's open modals, the top one last."""
        return self._stacks.setdefault(user, [])

    def find_home(self, user: str) -> Json | None:
        """Return a person's Home tab, once the app has published one."""
        return self._homes.get(user)

    def find_owner(self, *, view_id: str | None, external_id: str | None) -> tuple[str, Json] | None:
        """Return who sees a view and the view, by either id."""
        for user, stack in [*self._stacks.items(), *((user, [home]) for user, home in self._homes.items())]:
            for view in stack:
                if (view_id and view["id"] == view_id) or (external_id and view["external_id"] == external_id):
                    return user, view
        return None

    def open(self, user: str, view: Json) -> Json:
        """Show a modal, in place of any other the person has open."""
        self._refuse_known_external_id(view)
        self._stacks[user] = []
        return self._push(user, view)

    def push(self, user: str, view: Json) -> Json:
        """Show a modal on top; raises SlackError beyond three."""
        self._refuse_known_external_id(view)
        if len(self.stack(user)) >= STACK_DEPTH:
            raise SlackError("push_limit_reached")
        return self._push(user, view)

    def replace(self, old: Json, view: Json) -> Json:
        """Change an open view in place; what a person typed stays where block and element stay."""
        old |= self._content(view) | {"hash": self._new_hash()}
        old["state"] = {"values": inputs.kept_values(view["blocks"], old["state"]["values"])}
        return old

    def publish(self, user: str, view: Json, *, expected_hash: str | None) -> Json:
        """Set a person's Home tab."""
        home = self._homes.get(user)
        if home and expected_hash and expected_hash != home["hash"]:
            raise SlackError("hash_conflict")
        self._homes[user] = self._new(view, root=home["id"] if home else None, previous=None)
        return self._homes[user]

    def remove(self, user: str, view_id: str) -> None:
        """Close a view and whatever lies on top of it."""
        stack = self.stack(user)
        place = next((index for index, view in enumerate(stack) if view["id"] == view_id), len(stack))
        del stack[place:]

    def clear(self, user: str) -> None:
        """Close all of a person's modals."""
        self._stacks[user] = []

    def _push(self, user: str, view: Json) -> Json:
        stack = self.stack(user)
        stack.append(
            self._new(view, root=stack[0]["id"] if stack else None, previous=stack[-1]["id"] if stack else None)
        )
        return stack[-1]

    def _refuse_known_external_id(self, view: Json) -> None:
        if view.get("external_id") and self.find_owner(view_id=None, external_id=view["external_id"]):
            raise SlackError("duplicate_external_id")

    def _new(self, view: Json, *, root: str | None, previous: str | None) -> Json:
        view_id = root if view["type"] == "home" and root else "V" + secrets.token_hex(5).upper()
        return {
            "id": view_id,
            "team_id": self._workspace.team.id,
            "app_id": self._workspace.bot.app_id,
            "app_installed_team_id": self._workspace.team.id,
            "bot_id": self._workspace.bot.bot_id,
            "hash": self._new_hash(),
            "root_view_id": root or view_id,
            "previous_view_id": previous,
            "state": {"values": inputs.kept_values(view["blocks"], {})},
            **self._content(view),
        }

    @staticmethod
    def _content(view: Json) -> Json:
        return {
            "type": view["type"],
            "title": view.get("title"),
            "submit": view.get("submit"),
            "close": view.get("close"),
            "blocks": view["blocks"],
            "private_metadata": view.get("private_metadata", ""),
            "callback_id": view.get("callback_id", ""),
            "external_id": view.get("external_id", ""),
            "clear_on_close": bool(view.get("clear_on_close", False)),
            "notify_on_close": bool(view.get("notify_on_close", False)),
        }

    @staticmethod
    def _new_hash() -> str:
        return f"{secrets.randbelow(10**10)}.{secrets.token_hex(4)}"
