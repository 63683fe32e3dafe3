"""Slack's limits on blocks and views, and the collecting of what breaks them.

Numbers are from docs.slack.dev/reference/block-kit (blocks, block elements, composition objects) and
docs.slack.dev/reference/views.
"""

from typing import Any

from slack_sandbox.wire import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
VIEW_BYTES = 250_000
MESSAGE_TEXT = 40_000
# Undocumented: all texts of a message's blocks together. Slack's engineers name about 12,000 in bolt-js issue 2509.
MESSAGE_BLOCKS_TEXT = 12_000
SECTION_TEXT = 3000
SECTION_FIELDS = 10
FIELD_TEXT = 2000
HEADER_TEXT = 150
LABEL_TEXT = 2000
ACTIONS_ELEMENTS = 25
CONTEXT_ELEMENTS = 10
ID_TEXT = 255
BUTTON_TEXT = 75
BUTTON_VALUE = 2000
OPTION_TEXT = 75
OPTION_VALUE = 150
PLACEHOLDER_TEXT = 150
SELECT_OPTIONS = 100
CHOICE_OPTIONS = 10  # radio buttons and checkboxes
OVERFLOW_OPTIONS = 5
FILES = 10  # of a file input
URL_TEXT = 3000
ALT_TEXT = 2000
INPUT_TEXT = 3000
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TITLE_TEXT = 24
PRIVATE_METADATA = 3000
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30


class Problems:
    """What is wrong with a payload, in Slack's words, each with the JSON pointer to the place."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, what: str, at: str) -> None:
        """Note one problem."""
        self.messages.append(f"[ERROR] {what} [json-pointer:{at}]")

    def check_length(self, value: Any, at: str, *, most: int, least: int = 0) -> None:
        """Note a value that is no string or has the wrong length."""
        if not isinstance(value, str):
            self.add("must be a string", at)
        elif len(value) > most:
            self.add(f"must be less than {most + 1} characters", at)
        elif len(value) < least:
            self.add(f"must be more than {least - 1} characters", at)

    def check_string(self, holder: Json, key: str, at: str, *, most: int, is_required: bool = False) -> None:
        """Note a string field that is missing though required, or has the wrong length."""
        if holder.get(key) is not None:
            self.check_length(holder[key], f"{at}/{key}", most=most, least=1 if is_required else 0)
        elif is_required:
            self.add(f"missing required field: {key}", at)

    def check_text(
        self, holder: Json, key: str, at: str, *, most: int, is_plain: bool = True, is_required: bool = True
    ) -> None:
        """Note a text object that is missing though required, of the wrong type, empty or too long."""
        value = holder.get(key)
        if value is None:
            if is_required:
                self.add(f"missing required field: {key}", at)
            return
        self.check_text_object(value, f"{at}/{key}", most=most, is_plain=is_plain)

    def check_text_object(self, value: Any, at: str, *, most: int, is_plain: bool) -> None:
        """Note what is wrong with a text object itself."""
        if not isinstance(value, dict):
            self.add("must be an object", at)
            return
        if value.get("type") not in (("plain_text",) if is_plain else ("plain_text", "mrkdwn")):
            self.add(f"unsupported type: {value.get('type')}", f"{at}/type")
        elif value["type"] == "mrkdwn" and "emoji" in value:
            self.add("invalid additional property: emoji", at)
        self.check_length(value.get("text"), f"{at}/text", most=most, least=1)

    def check_list(self, holder: Json, key: str, at: str, *, most: int, least: int = 1) -> list[Json]:
        """Return the objects in a list field, noting a missing list and a wrong number of items."""
        items = holder.get(key)
        if not isinstance(items, list):
            self.add(f"missing required field: {key}", at)
            return []
        if len(items) > most:
            self.add(f"no more than {most} items allowed", f"{at}/{key}")
        if len(items) < least:
            self.add(f"must provide at least {least} item" + ("s" if least > 1 else ""), f"{at}/{key}")
        objects = [item for item in items if isinstance(item, dict)]
        if len(objects) < len(items):
            self.add("must be an object", f"{at}/{key}")
            return []
        return objects
