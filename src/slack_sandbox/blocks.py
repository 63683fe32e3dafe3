"""Checks the blocks of a message or view against Slack's limits, and gives them the ids Slack would."""

import copy
import secrets
from collections.abc import Callable, Iterator
from typing import Any

from slack_sandbox import elements, limits
from slack_sandbox.limits import Problems
from slack_sandbox.wire import Json, SlackError, parsed

RICH_PARTS = ("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted")
RICH_LEAVES = ("text", "link", "user", "channel", "emoji", "broadcast", "date", "usergroup", "color")


def read_message_blocks(value: Any, *, is_shown: Callable[[str], bool]) -> list[Json]:
    """Return a message's blocks, checked and with ids.

    value: a list, or JSON of one. is_shown: whether an image block may name a file id.
    Raises SlackError as chat.postMessage answers.
    """
    blocks = parsed(value, otherwise="invalid_blocks_format")
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = Problems()
    if len(blocks) > limits.MESSAGE_BLOCKS:
        problems.add(f"no more than {limits.MESSAGE_BLOCKS} items allowed", "/blocks")
    check_blocks(blocks, "/blocks", problems=problems, is_shown=is_shown)
    if sum(isinstance(block, dict) and block.get("type") == "table" for block in blocks) > 1:
        problems.add("only_one_table_allowed", "/blocks")
    if problems.messages:
        raise SlackError(
            "invalid_blocks",
            errors=[message.removeprefix("[ERROR] ") for message in problems.messages],
            response_metadata={"messages": problems.messages},
        )
    if sum(map(len, _texts(blocks))) > limits.MESSAGE_BLOCKS_TEXT:
        raise SlackError("msg_blocks_too_long")
    return with_ids(blocks)


def check_blocks(blocks: list[Any], at: str, *, problems: Problems, is_shown: Callable[[str], bool]) -> None:
    """Note everything about a list of blocks that Slack would refuse."""
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        place = f"{at}/{index}"
        if not isinstance(block, dict):
            problems.add("must be an object", place)
            continue
        problems.check_string(block, "block_id", place, most=limits.ID_TEXT)
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            problems.add(f"block_id must be unique: {block_id}", f"{place}/block_id")
        seen.add(str(block_id))
        check = CHECKS.get(str(block.get("type")))
        if check is None:
            problems.add(f"unsupported type: {block.get('type')}", f"{place}/type")
            continue
        check(block, place, problems)
        for picture, where in _pictures(block, place):
            file = picture.get("slack_file")
            if isinstance(file, dict) and not is_shown(_file_id(file)):
                problems.add("invalid slack file", f"{where}/slack_file")


def with_ids(blocks: list[Json]) -> list[Json]:
    """Return a copy in which every block and element has an id, as Slack stores them."""
    copied = copy.deepcopy(blocks)
    for block in copied:
        if not block.get("block_id"):
            block["block_id"] = secrets.token_urlsafe(4)[:5]
        for element in interactive_elements(block):
            if not element.get("action_id"):
                element["action_id"] = secrets.token_urlsafe(4)[:5]
    return copied


def interactive_elements(block: Json) -> list[Json]:
    """Return the elements of a block a person can act on."""
    if block["type"] == "actions":
        return list(block["elements"])
    element = block.get("element") if block["type"] == "input" else block.get("accessory")
    return [element] if element and element["type"] != "image" else []


def _check_section(block: Json, at: str, problems: Problems) -> None:
    if not block.get("text") and not block.get("fields"):
        problems.add("missing required field: text or fields", at)
    problems.check_text(block, "text", at, most=limits.SECTION_TEXT, is_plain=False, is_required=False)
    if block.get("fields") is not None:
        for index, field in enumerate(problems.check_list(block, "fields", at, most=limits.SECTION_FIELDS)):
            problems.check_text_object(field, f"{at}/fields/{index}", most=limits.FIELD_TEXT, is_plain=False)
    if block.get("accessory") is not None:
        elements.check_element(block["accessory"], f"{at}/accessory", allowed=elements.IN_SECTION, problems=problems)


def _check_header(block: Json, at: str, problems: Problems) -> None:
    problems.check_text(block, "text", at, most=limits.HEADER_TEXT)


def _check_actions(block: Json, at: str, problems: Problems) -> None:
    seen: set[str] = set()
    for index, element in enumerate(problems.check_list(block, "elements", at, most=limits.ACTIONS_ELEMENTS)):
        place = f"{at}/elements/{index}"
        elements.check_element(element, place, allowed=elements.IN_ACTIONS, problems=problems)
        action_id = element.get("action_id")
        if action_id and action_id in seen:
            problems.add(f"action_id must be unique: {action_id}", f"{place}/action_id")
        seen.add(str(action_id))


def _check_context(block: Json, at: str, problems: Problems) -> None:
    for index, element in enumerate(problems.check_list(block, "elements", at, most=limits.CONTEXT_ELEMENTS)):
        place = f"{at}/elements/{index}"
        if element.get("type") == "image":
            elements.check_picture(element, place, problems=problems)
        else:
            problems.check_text_object(element, place, most=limits.SECTION_TEXT, is_plain=False)


def _check_image(block: Json, at: str, problems: Problems) -> None:
    elements.check_picture(block, at, problems=problems)
    problems.check_text(block, "title", at, most=limits.LABEL_TEXT, is_required=False)


def _check_input(block: Json, at: str, problems: Problems) -> None:
    problems.check_text(block, "label", at, most=limits.LABEL_TEXT)
    problems.check_text(block, "hint", at, most=limits.LABEL_TEXT, is_required=False)
    if isinstance(block.get("element"), dict):
        elements.check_element(block["element"], f"{at}/element", allowed=elements.IN_INPUT, problems=problems)
    else:
        problems.add("missing required field: element", at)


def _check_rich_text(block: Json, at: str, problems: Problems) -> None:
    for index, part in enumerate(problems.check_list(block, "elements", at, most=1000)):
        _check_rich_part(part, f"{at}/elements/{index}", problems)


def _check_rich_part(part: Json, at: str, problems: Problems) -> None:
    kind = part.get("type")
    if kind not in RICH_PARTS:
        problems.add(f"unsupported type: {kind}", f"{at}/type")
        return
    if kind == "rich_text_list" and part.get("style") not in ("bullet", "ordered"):
        problems.add("must be bullet or ordered", f"{at}/style")
    for index, element in enumerate(problems.check_list(part, "elements", at, most=1000, least=0)):
        place = f"{at}/elements/{index}"
        if kind == "rich_text_list":
            _check_rich_part(element, place, problems)
        elif element.get("type") not in RICH_LEAVES:
            problems.add(f"unsupported type: {element.get('type')}", f"{place}/type")
        elif element["type"] == "text":
            problems.check_length(element.get("text"), f"{place}/text", most=limits.MESSAGE_TEXT, least=1)


def _check_table(block: Json, at: str, problems: Problems) -> None:
    rows = block.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        problems.add("missing required field: rows", at)
        return
    if not 1 <= len(rows) <= limits.TABLE_ROWS:
        problems.add(f"must have 1 to {limits.TABLE_ROWS} rows", f"{at}/rows")
    for number, row in enumerate(rows):
        if not 1 <= len(row) <= limits.TABLE_COLUMNS:
            problems.add(f"must have 1 to {limits.TABLE_COLUMNS} items", f"{at}/rows/{number}")
        for column, cell in enumerate(row):
            _check_cell(cell, f"{at}/rows/{number}/{column}", problems)
    settings = block.get("column_settings") or []
    if not isinstance(settings, list) or not all(column is None or isinstance(column, dict) for column in settings):
        problems.add("must be a list of objects", f"{at}/column_settings")
        return
    for number, column in enumerate(settings):
        if column is not None and column.get("align") not in (None, "left", "center", "right"):
            problems.add("must be left, center or right", f"{at}/column_settings/{number}/align")


def _check_cell(cell: Any, at: str, problems: Problems) -> None:
    kind = cell.get("type") if isinstance(cell, dict) else None
    if kind == "raw_text":
        problems.check_string(cell, "text", at, most=limits.SECTION_TEXT, is_required=True)
    elif kind == "rich_text":
        _check_rich_text(cell, at, problems)
    else:
        problems.add(f"unsupported type: {kind}", f"{at}/type")


def _check_divider(block: Json, at: str, problems: Problems) -> None:
    for key in set(block) - {"type", "block_id"}:
        problems.add(f"invalid additional property: {key}", at)


CHECKS: dict[str, Callable[[Json, str, Problems], None]] = {
    "section": _check_section,
    "header": _check_header,
    "actions": _check_actions,
    "context": _check_context,
    "divider": _check_divider,
    "image": _check_image,
    "input": _check_input,
    "rich_text": _check_rich_text,
    "table": _check_table,
}


def _pictures(block: Json, at: str) -> Iterator[tuple[Json, str]]:
    if block["type"] == "image":
        yield block, at
    if block["type"] == "context":
        for index, element in enumerate(block.get("elements") or []):
            if isinstance(element, dict):
                yield element, f"{at}/elements/{index}"
    if isinstance(block.get("accessory"), dict):
        yield block["accessory"], f"{at}/accessory"


def _file_id(file: Json) -> str:
    if "id" in file:
        return str(file["id"])
    # .../files-pri/T0SANDBOX-F0123/chart.png
    return str(file.get("url", "")).rpartition("/")[0].rpartition("-")[2]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
