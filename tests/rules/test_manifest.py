"""manifest.yml asks Slack for what the bot does, and for nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from labcoat.demo import people
from labcoat.slack import grammar, scopes
from labcoat.slack.commands import EXPERIMENT, HYPOTHESIS
from labcoat.slack.listeners.registry import SHORTCUTS

ROOT = Path(__file__).parents[2]
SLACK = ROOT / "src/labcoat/slack"

HISTORY = frozenset({"channels:history", "groups:history", "im:history"})
METHOD = re.compile(r"(chat|conversations)\.[a-zA-Z]+")

SCOPES_OF_METHODS = {
    "apps_connections_open": frozenset(),  # the app-level token has a scope of its own
    "auth_test": frozenset[str](),
    "chat_postMessage": frozenset({"chat:write"}),
    "chat_update": frozenset({"chat:write"}),
    "conversations_history": HISTORY,
    "conversations_info": frozenset({"channels:read", "groups:read"}),
    "conversations_open": frozenset({"im:write"}),
    "conversations_replies": HISTORY,
    "files_completeUploadExternal": frozenset({"files:write"}),
    "files_getUploadURLExternal": frozenset({"files:write"}),
    "files_info": frozenset({"files:read"}),
    "files_upload_v2": frozenset({"files:write"}),
    "users_info": frozenset({"users:read"}),
    "views_open": frozenset[str](),
    "views_publish": frozenset[str](),
    "views_push": frozenset[str](),
    "views_update": frozenset[str](),
}
"""Source: the page of each method in Slack's reference. History: public channels, private channels, direct messages."""

SCOPES_OF_EVENTS = {
    "app_home_opened": frozenset[str](),
    "member_joined_channel": frozenset({"channels:read", "groups:read"}),
}
"""Source: the page of each event in Slack's reference."""

FIELDS: dict[str, frozenset[str]] = {
    "": frozenset({"_metadata", "display_information", "features", "oauth_config", "settings"}),
    "_metadata": frozenset({"major_version", "minor_version"}),
    "display_information": frozenset({"name", "description", "background_color", "long_description"}),
    "features": frozenset({"app_home", "bot_user", "shortcuts", "slash_commands"}),
    "features.app_home": frozenset({"home_tab_enabled", "messages_tab_enabled", "messages_tab_read_only_enabled"}),
    "features.bot_user": frozenset({"display_name", "always_online"}),
    "features.slash_commands": frozenset({"command", "url", "description", "usage_hint", "should_escape"}),
    "oauth_config": frozenset({"redirect_urls", "scopes"}),
    "oauth_config.scopes": frozenset({"bot", "bot_optional"}),
    "settings": frozenset(
        {"interactivity", "event_subscriptions", "org_deploy_enabled", "socket_mode_enabled", "token_rotation_enabled"}
    ),
    "settings.interactivity": frozenset({"is_enabled", "request_url"}),
    "settings.event_subscriptions": frozenset({"request_url", "bot_events"}),
    "features.shortcuts": frozenset({"name", "type", "callback_id", "description"}),
}
"""What we may write, of slackapi/manifest-schema, manifest.schema.2.0.0.json: there nothing else is allowed either."""

LONGEST = {
    "display_information.name": 35,
    "display_information.description": 140,
    "features.bot_user.display_name": 80,
    "features.slash_commands.command": 32,
    "features.slash_commands.url": 3000,
    "features.slash_commands.description": 2000,
    "features.slash_commands.usage_hint": 1000,
    "settings.interactivity.request_url": 3500,
    "settings.event_subscriptions.request_url": 3500,
    "settings.event_subscriptions.bot_events": 100,
    "features.shortcuts.name": 24,
    "features.shortcuts.type": 7,
    "features.shortcuts.callback_id": 255,
    "features.shortcuts.description": 150,
    "oauth_config.scopes.bot": 50,
    "oauth_config.scopes.bot_optional": 50,
}
"""Signs at most; same source."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    return read


def called_methods() -> set[str]:
    """Return the Web API methods that the bot calls, as slack_sdk names them."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SLACK.rglob("*.py")]
    calls = (node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = (
        func.attr
        for func in calls
        if isinstance(func, ast.Attribute) and "client" in ast.unparse(func.value).split(".")
    )
    texts = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    said = {text.replace(".", "_") for text in texts if isinstance(text, str) and METHOD.fullmatch(text)}  # of delivery
    return {name for name in names if not name.startswith("_")} | said


def parts(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of the manifest with its place, without positions in lists."""
    yield place, value
    for item in value if isinstance(value, list) else ():
        yield from parts(item, place)
    for name, item in value.items() if isinstance(value, dict) else ():
        yield from parts(item, f"{place}.{name}".lstrip("."))


def test_scopes_are_those_of_the_methods_that_are_called(manifest: dict[str, Any]) -> None:
    methods = (SCOPES_OF_METHODS[method] for method in called_methods())
    events = (SCOPES_OF_EVENTS[event] for event in manifest["settings"]["event_subscriptions"]["bot_events"])
    needed = frozenset({"commands"}).union(*methods, *events)

    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed


def test_every_method_with_a_known_scope_is_called() -> None:
    assert called_methods() == SCOPES_OF_METHODS.keys()


def test_the_doctor_knows_every_scope_and_which_are_optional(manifest: dict[str, Any]) -> None:
    asked = manifest["oauth_config"]["scopes"]

    assert scopes.WITHOUT.keys() == set(asked["bot"])
    assert set(asked["bot_optional"]) == scopes.OPTIONAL


def test_scopes_to_read_history_may_be_left_out(manifest: dict[str, Any]) -> None:
    assert set(manifest["oauth_config"]["scopes"]["bot_optional"]) == HISTORY


def test_an_optional_scope_is_in_both_lists_and_none_is_twice(manifest: dict[str, Any]) -> None:
    # Slack's manifest reference: optional scopes must also be listed in the corresponding bot field.
    asked, optional = (manifest["oauth_config"]["scopes"][name] for name in ("bot", "bot_optional"))

    assert set(optional) < set(asked)
    assert len(set(asked)) == len(asked)


def test_the_demo_has_no_scope_that_the_manifest_does_not_ask_for(manifest: dict[str, Any]) -> None:
    assert set(people.workspace().bot.scopes) <= set(manifest["oauth_config"]["scopes"]["bot"])


def test_commands_are_those_the_bot_answers(manifest: dict[str, Any]) -> None:
    commands = manifest["features"]["slash_commands"]

    assert {one["command"] for one in commands} == {HYPOTHESIS, EXPERIMENT}
    assert {one.command for one in people.workspace().commands} == {one["command"] for one in commands}


def test_shortcuts_are_those_the_bot_answers(manifest: dict[str, Any]) -> None:
    shortcuts = {one["callback_id"]: one["type"] == "message" for one in manifest["features"]["shortcuts"]}

    assert shortcuts.keys() == SHORTCUTS.keys()
    assert {one.callback_id: one.on_message for one in people.workspace().shortcuts} == shortcuts


def test_usage_hints_name_only_verbs_that_exist(manifest: dict[str, Any]) -> None:
    hints = " | ".join(one["usage_hint"] for one in manifest["features"]["slash_commands"])
    verbs = {hint.split()[0] for hint in hints.split(" | ")} - {"what"}  # "what we change, for whom"

    assert verbs <= {*grammar.ABOUT_ONE, *grammar.ALONE}


def test_every_address_is_the_one_the_bot_listens_at(manifest: dict[str, Any]) -> None:
    addresses = {value for place, value in parts(manifest) if place.endswith("url")}

    assert addresses == {"https://YOUR-HOST/slack/events"}
    assert re.search(r'Route\("/slack/events"', (ROOT / "src/labcoat/web/app.py").read_text(encoding="utf-8"))


def test_it_subscribes_to_the_few_events_that_are_answered_and_needs_no_socket(manifest: dict[str, Any]) -> None:
    source = (ROOT / "src/labcoat/slack/listeners/dispatch.py").read_text(encoding="utf-8")
    answered = set(re.findall(r'app\.event\("(\w+)"\)', source))

    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == answered
    assert set(people.workspace().events) == answered
    assert manifest["settings"]["socket_mode_enabled"] is False


def test_buttons_and_direct_messages_work(manifest: dict[str, Any]) -> None:
    home = manifest["features"]["app_home"]

    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    assert home["messages_tab_enabled"] is True
    assert home["messages_tab_read_only_enabled"] is False  # else nobody could type a command there


def test_it_has_only_fields_of_schema_2(manifest: dict[str, Any]) -> None:
    unknown = {
        f"{place}.{name}"
        for place, value in parts(manifest)
        if isinstance(value, dict)
        for name in value.keys() - FIELDS[place]
    }

    assert manifest["_metadata"]["major_version"] == 2
    assert unknown == set()


def test_every_text_is_as_short_as_slack_wants_it(manifest: dict[str, Any]) -> None:
    texts = [(place, value) for place, value in parts(manifest) if isinstance(value, str)]

    assert {place for place, _ in texts} == LONGEST.keys()
    assert [(place, text) for place, text in texts if not 0 < len(text) <= LONGEST[place]] == []
