"""Tells in plain lines what a person would read in a message or form; for terminals and assertions."""

import html
import re
from collections.abc import Iterable

from slack_sandbox.elements import all_options
from slack_sandbox.wire import Json

LINK = re.compile(r"<(https?://[^|>]+|mailto:[^|>]+)(?:\|([^>]*))?>")
REFERENCE = re.compile(r"<([@#!])([^|>]+)(?:\|([^>]*))?>")


def plain_text(shown: Json) -> str:
    """Return a message, modal or Home tab as lines: texts, [buttons], labels with what is filled in, hints.

    >>> plain_text({"text": "Hello <@UANA>, see <https://example.org|this>"})
    'Hello @UANA, see this'
    """
    lines: list[str] = []
    if shown.get("title"):
        lines.append(f"# {_text(shown['title'])}")
    errors = shown.get("errors") or {}
    values = shown.get("state", {}).get("values", {})
    for block in shown.get("blocks") or []:
        block_id = str(block.get("block_id"))
        lines += _block(block, values.get(block_id, {}))
        if block_id in errors:
            lines.append(f"  ! {errors[block_id]}")
    if not shown.get("blocks") and shown.get("text"):
        lines.append(_mrkdwn(shown["text"]))
    lines += [f"[file {file['name']}]" for file in shown.get("files") or []]
    if shown.get("notice"):
        lines.append(f"! {shown['notice']}")
    buttons = [f"[{_text(shown[key])}]" for key in ("close", "submit") if shown.get(key)]
    return "\n".join([*lines, *([" ".join(buttons)] if buttons else [])])


def _block(block: Json, values: Json) -> Iterable[str]:
    kind = block["type"]
    if kind == "header":
        return [f"# {_text(block['text'])}"]
    if kind == "section":
        texts = [_text(text) for text in [block.get("text"), *(block.get("fields") or [])] if text]
        accessory = block.get("accessory")
        return [*texts, *([_element(accessory, values)] if accessory else [])]
    if kind == "actions":
        return [" ".join(_element(element, values) for element in block["elements"])]
    if kind == "context":
        return [" ".join(_element(element, values) for element in block["elements"])]
    if kind == "image":
        return [*([_text(block["title"])] if block.get("title") else []), _element(block, values)]
    if kind == "input":
        optional = " (optional)" if block.get("optional") else ""
        hint = [f"  ({_text(block['hint'])})"] if block.get("hint") else []
        return [f"{_text(block['label'])}{optional}: {_element(block['element'], values)}", *hint]
    if kind == "rich_text":
        return _rich(block).splitlines()
    if kind == "table":
        return [" | ".join(_rich(cell) for cell in row) for row in block["rows"]]
    return ["---"] if kind == "divider" else []


def _element(element: Json, values: Json) -> str:
    kind = element["type"]
    if kind in ("plain_text", "mrkdwn"):
        return _text(element)
    if kind == "image":
        return f"[image: {element['alt_text']}]"
    if kind == "button":
        return f"[{_text(element['text'])}]"
    state = values.get(str(element.get("action_id")), {})
    chosen = [_chosen(value) for key, value in state.items() if key != "type" and value not in (None, [])]
    if chosen:
        return f"<{', '.join(chosen)}>"
    if element.get("options") or element.get("option_groups"):
        return f"<{' | '.join(_text(option['text']) for option in all_options(element))}>"
    return f"<{_text(element['placeholder'])}>" if element.get("placeholder") else "<>"


def _chosen(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_chosen(item) for item in value)
    if isinstance(value, dict):
        return _text(value["text"]) if "text" in value else str(value.get("name", ""))
    return str(value)


def _rich(part: Json) -> str:
    kind = part["type"]
    inner = [_rich(element) for element in part.get("elements") or []]
    if kind == "rich_text":
        return "\n".join(inner)
    if kind == "rich_text_list":
        is_ordered = part.get("style") == "ordered"
        marks = [f"{number}." if is_ordered else "-" for number in range(1, len(inner) + 1)]
        return "\n".join(
            f"{'  ' * part.get('indent', 0)}{mark} {line}" for mark, line in zip(marks, inner, strict=True)
        )
    if inner or kind.startswith("rich_text_"):
        return "".join(inner)
    words = {"user": "@{user_id}", "channel": "#{channel_id}", "emoji": ":{name}:", "broadcast": "@{range}"}
    if kind in words:
        return words[kind].format(**part)
    return str(part.get("text") or part.get("url") or "")


def _text(text: Json) -> str:
    return _mrkdwn(text["text"]) if text["type"] == "mrkdwn" else str(text["text"])


def _mrkdwn(text: str) -> str:
    linked = LINK.sub(lambda match: match[2] or match[1], text)
    named = REFERENCE.sub(lambda match: match[3] or {"@": "@", "#": "#", "!": "@"}[match[1]] + match[2], linked)
    return html.unescape(named)
