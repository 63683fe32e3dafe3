"""What a person typed or chose, between plain values and Slack's `view.state.values`."""

import re
from typing import Any

from slack_sandbox.blocks import interactive_elements
from slack_sandbox.elements import all_options
from slack_sandbox.wire import Json, PersonError

TEXT_KINDS = ("plain_text_input", "number_input", "email_text_input", "url_text_input")
# type -> (the key the value has in the state, the key of its initial value)
STATE_KEYS = {
    **dict.fromkeys(TEXT_KINDS, ("value", "initial_value")),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", "initial_files"),
}
FORMS = {"datepicker": re.compile(r"\d{4}-\d{2}-\d{2}"), "timepicker": re.compile(r"\d{2}:\d{2}")}
REQUIRED = "Please complete this required field."


def kept_values(blocks: list[Json], earlier: Json) -> Json:
    """Return the state of every input: as it was where block and action stay, else its initial value."""
    values: Json = {}
    for block in blocks:
        for element in interactive_elements(block):
            if element["type"] not in STATE_KEYS:
                continue
            known = earlier.get(block["block_id"], {}).get(element["action_id"])
            keeps = known is not None and known["type"] == element["type"]
            state = known if keeps else initial_state(element)
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def typed_values(blocks: list[Json], values: Json, *, typed: Json, files: dict[str, Json]) -> Json:
    """Return the state after a person filled in some blocks.

    typed: block id -> value; for a block with several inputs, block id -> {action id: value}.
    files: file id -> file object, for what the person has uploaded.
    Raises PersonError for an unknown block or option.
    """
    result = {block_id: dict(actions) for block_id, actions in values.items()}
    for block_id, raw in typed.items():
        found = next((block for block in blocks if block["block_id"] == block_id and block_id in values), None)
        if found is None:
            message = f"There is no input in block {block_id!r}; there is {sorted(values)}."
            raise PersonError(message)
        inputs = {e["action_id"]: e for e in interactive_elements(found) if e["type"] in STATE_KEYS}
        answers = raw if isinstance(raw, dict) else {next(iter(inputs)): raw}
        for action_id, answer in answers.items():
            if action_id not in inputs:
                message = f"There is no input {action_id!r} in block {block_id!r}; there is {sorted(inputs)}."
                raise PersonError(message)
            result[block_id][action_id] = state_of(inputs[action_id], answer, files=files)
    return result


def initial_state(element: Json) -> Json:
    """Return the state of an element nobody has touched."""
    key, initial_key = STATE_KEYS[element["type"]]
    empty: Any = [] if key.endswith("s") else None
    return {"type": element["type"], key: element.get(initial_key, empty)}


def state_of(element: Json, raw: Any, *, files: dict[str, Json]) -> Json:
    """Return the state of an element a person answered with a plain value; None or "" empties it."""
    kind = element["type"]
    key, _ = STATE_KEYS[kind]
    if key in ("selected_options", "selected_users", "files"):
        chosen = raw if isinstance(raw, list) else [] if raw in (None, "") else [raw]
        return {"type": kind, key: [_one_of_many(element, item, files=files) for item in chosen]}
    if raw in (None, ""):
        return {"type": kind, key: None}
    if key == "selected_option":
        return {"type": kind, key: find_option(element, raw)}
    if kind == "datetimepicker":
        return {"type": kind, key: int(raw)}
    if kind in FORMS and not FORMS[kind].fullmatch(str(raw)):
        message = f"{raw!r} is not what a {kind} gives."
        raise PersonError(message)
    return {"type": kind, key: str(raw)}


def find_option(element: Json, value: Any) -> Json:
    """Return the option with this value, or this text; raises PersonError when there is none."""
    options = all_options(element)
    for option in options:
        if value in (option["value"], option["text"]["text"]):
            return option
    message = f"{value!r} is not an option; there is {[option['value'] for option in options]}."
    raise PersonError(message)


def refusals_of_client(blocks: list[Json], values: Json) -> dict[str, str]:
    """Return, by block id, what Slack's own screen would complain about before it asks the app."""
    complaints: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = values[block["block_id"]][element["action_id"]]
        value = state[STATE_KEYS[element["type"]][0]]
        if value in (None, "", []):
            if not block.get("optional"):
                complaints[block["block_id"]] = REQUIRED
            continue
        complaint = _complaint(element, value)
        if complaint:
            complaints[block["block_id"]] = complaint
    return complaints


def _one_of_many(element: Json, item: Any, *, files: dict[str, Json]) -> Any:
    if element["type"] == "multi_users_select":
        return str(item)
    if element["type"] == "file_input":
        if item not in files:
            message = f"There is no uploaded file {item!r}; POST it to /sandbox/files first."
            raise PersonError(message)
        return files[item]
    return find_option(element, item)


def _complaint(element: Json, value: Any) -> str | None:
    kind = element["type"]
    if kind == "plain_text_input":
        if len(value) < element.get("min_length", 0):
            return f"Please use at least {element['min_length']} characters."
        if len(value) > element.get("max_length", 3000):
            return f"Please use at most {element.get('max_length', 3000)} characters."
    if kind == "number_input":
        return _number_complaint(element, value)
    if kind == "file_input" and (complaint := _files_complaint(element, value)):
        return complaint
    most = element.get("max_selected_items") or element.get("max_files")
    if most and isinstance(value, list) and len(value) > most:
        return f"Please choose at most {most}."
    return None


def _files_complaint(element: Json, files: list[Json]) -> str | None:
    known = element.get("filetypes") or []
    wrong = next((file["name"] for file in files if known and file["filetype"] not in known), None)
    return f"{wrong} is no {' or '.join(known)} file." if wrong else None


def _number_complaint(element: Json, value: str) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and not number.is_integer():
        return "Please enter a whole number."
    if "min_value" in element and number < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and number > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None
