"""What travels over HTTP: JSON shapes, the reading of request bodies, and the two ways to refuse."""

import json
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request

Json: TypeAlias = dict[str, Any]


class SlackError(Exception):  # a refusal is no error
    """Slack says no to an app: `{"ok": false, "error": ...}`."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer: Json = {"ok": False, "error": error, **more}


class PersonError(Exception):  # a refusal is no error
    """A person asked for what Slack's own screens would not let them do."""


async def read_args(request: Request) -> Json:
    """Return the arguments of a call, from query, form or JSON body alike.

    Raises SlackError for a body that is none of these.
    """
    args: Json = dict(request.query_params)
    body = await request.body()
    if not body:
        return args
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    try:
        if kind == "application/json":
            parsed = json.loads(body)
            if not isinstance(parsed, dict):
                raise SlackError("invalid_json")
            return args | parsed
        if kind == "application/x-www-form-urlencoded":
            return args | dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise SlackError("invalid_json" if kind == "application/json" else "invalid_form_data") from problem
    raise SlackError("invalid_post_type")


def is_true(value: object) -> bool:
    """Return whether an argument means yes; forms carry booleans as words or digits."""
    return value is True or str(value).lower() in ("1", "true")


def parsed(value: Any, *, otherwise: str) -> Any:
    """Return an argument that may have come as JSON inside a string.

    otherwise: Slack's error when the string is not JSON.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as problem:
        raise SlackError(otherwise) from problem


def required(args: Json, name: str, *, error: str = "invalid_arguments") -> str:
    """Return a text argument; raises SlackError when it is missing or empty."""
    value = args.get(name)
    if not value:
        raise SlackError(error, response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
    return str(value)
