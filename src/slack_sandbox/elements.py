"""Checks one interactive element against Slack's limits."""

import re

from slack_sandbox import limits
from slack_sandbox.limits import Problems
from slack_sandbox.wire import Json

IN_ACTIONS = frozenset(
    [
        "button",
        "overflow",
        "static_select",
        "users_select",
        "conversations_select",
        "channels_select",
        "radio_buttons",
        "checkboxes",
        "datepicker",
        "timepicker",
        "datetimepicker",
    ]
)
IN_SECTION = (IN_ACTIONS - {"datetimepicker"}) | {"multi_static_select", "multi_users_select", "image"}
IN_INPUT = (IN_ACTIONS - {"button", "overflow"}) | frozenset(
    [
        "plain_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "multi_static_select",
        "multi_users_select",
        "file_input",
    ]
)
WITH_PLACEHOLDER = frozenset(
    [
        "plain_text_input",
        "number_input",
        "email_text_input",
        "url_text_input",
        "static_select",
        "multi_static_select",
        "users_select",
        "multi_users_select",
        "conversations_select",
        "channels_select",
        "datepicker",
        "timepicker",
    ]
)
FORMS_OF_INITIAL = {
    "initial_date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "initial_time": re.compile(r"\d{2}:\d{2}"),
}


def check_element(element: Json, at: str, *, allowed: frozenset[str], problems: Problems) -> None:
    """Note everything about an element that Slack would refuse.

    allowed: the element types the block around it may hold.
    """
    kind = element.get("type")
    if kind not in allowed:
        problems.add(f"unsupported type: {kind}", f"{at}/type")
        return
    if kind == "image":
        check_picture(element, at, problems=problems)
        return
    problems.check_string(element, "action_id", at, most=limits.ID_TEXT)
    if kind in WITH_PLACEHOLDER:
        problems.check_text(element, "placeholder", at, most=limits.PLACEHOLDER_TEXT, is_required=False)
    _check_confirm(element, at, problems=problems)
    if kind == "button":
        _check_button(element, at, problems=problems)
    elif kind in ("static_select", "multi_static_select"):
        _check_select(element, at, problems=problems)
    elif kind in ("radio_buttons", "checkboxes"):
        _check_options(element, "options", at, most=limits.CHOICE_OPTIONS, problems=problems)
        _check_initial_options(element, at, problems=problems)
    elif kind == "overflow":
        _check_options(element, "options", at, most=limits.OVERFLOW_OPTIONS, problems=problems)
    else:
        _check_typed(element, at, problems=problems)


def check_picture(picture: Json, at: str, *, problems: Problems) -> None:
    """Note what is wrong with an image, be it a block or an element."""
    problems.check_string(picture, "alt_text", at, most=limits.ALT_TEXT, is_required=True)
    if ("image_url" in picture) == ("slack_file" in picture):
        problems.add("missing required field: image_url or slack_file, one of them", at)
    problems.check_string(picture, "image_url", at, most=limits.URL_TEXT)


def all_options(element: Json) -> list[Json]:
    """Return the options of a select, radio, checkbox or overflow element, grouped or not."""
    grouped = [option for group in element.get("option_groups") or [] for option in group.get("options", [])]
    return [*(element.get("options") or []), *grouped]


def _check_button(element: Json, at: str, *, problems: Problems) -> None:
    problems.check_text(element, "text", at, most=limits.BUTTON_TEXT)
    problems.check_string(element, "value", at, most=limits.BUTTON_VALUE)
    problems.check_string(element, "url", at, most=limits.URL_TEXT)
    problems.check_string(element, "accessibility_label", at, most=limits.BUTTON_TEXT)
    if element.get("style") not in (None, "primary", "danger"):
        problems.add("invalid value: style must be primary or danger", f"{at}/style")


def _check_select(element: Json, at: str, *, problems: Problems) -> None:
    if ("options" in element) == ("option_groups" in element):
        problems.add("missing required field: options or option_groups, one of them", at)
    elif "options" in element:
        _check_options(element, "options", at, most=limits.SELECT_OPTIONS, problems=problems)
    else:
        for index, group in enumerate(problems.check_list(element, "option_groups", at, most=limits.SELECT_OPTIONS)):
            place = f"{at}/option_groups/{index}"
            problems.check_text(group, "label", place, most=limits.OPTION_TEXT)
            _check_options(group, "options", place, most=limits.SELECT_OPTIONS, problems=problems)
    _check_initial_options(element, at, problems=problems)


def _check_options(holder: Json, key: str, at: str, *, most: int, problems: Problems) -> None:
    for index, option in enumerate(problems.check_list(holder, key, at, most=most)):
        place = f"{at}/{key}/{index}"
        problems.check_text(option, "text", place, most=limits.OPTION_TEXT, is_plain=False)
        problems.check_string(option, "value", place, most=limits.OPTION_VALUE, is_required=True)
        problems.check_text(option, "description", place, most=limits.OPTION_TEXT, is_plain=False, is_required=False)


def _check_initial_options(element: Json, at: str, *, problems: Problems) -> None:
    chosen = [element["initial_option"]] if element.get("initial_option") else element.get("initial_options") or []
    known = [(option.get("value"), option.get("text", {}).get("text")) for option in all_options(element)]
    key = "initial_option" if element.get("initial_option") else "initial_options"
    for option in chosen:
        if (option.get("value"), option.get("text", {}).get("text")) not in known:
            problems.add("no match found in options", f"{at}/{key}")


def _check_typed(element: Json, at: str, *, problems: Problems) -> None:
    if element["type"] == "file_input" and element.get("max_files", limits.FILES) not in range(1, limits.FILES + 1):
        problems.add(f"must be between 1 and {limits.FILES}", f"{at}/max_files")
    problems.check_string(element, "initial_value", at, most=limits.INPUT_TEXT)
    for key, form in FORMS_OF_INITIAL.items():
        if element.get(key) is not None and not form.fullmatch(str(element[key])):
            problems.add("invalid format", f"{at}/{key}")
    if element["type"] == "number_input" and "is_decimal_allowed" not in element:
        problems.add("missing required field: is_decimal_allowed", at)
    for key, least in (("min_length", 0), ("max_length", 1)):
        if key in element and not (isinstance(element[key], int) and least <= element[key] <= limits.INPUT_TEXT):
            problems.add(f"must be between {least} and {limits.INPUT_TEXT}", f"{at}/{key}")


def _check_confirm(element: Json, at: str, *, problems: Problems) -> None:
    confirm = element.get("confirm")
    if confirm is None:
        return
    place = f"{at}/confirm"
    if not isinstance(confirm, dict):
        problems.add("must be an object", place)
        return
    problems.check_text(confirm, "title", place, most=limits.CONFIRM_TITLE)
    problems.check_text(confirm, "text", place, most=limits.CONFIRM_TEXT, is_plain=False)
    problems.check_text(confirm, "confirm", place, most=limits.CONFIRM_BUTTON)
    problems.check_text(confirm, "deny", place, most=limits.CONFIRM_BUTTON)
