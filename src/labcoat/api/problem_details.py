"""Whatever was not done, as RFC 9457 says it: a status, a reason for programs, and words for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import BaseModel, ValidationError

from labcoat.api.bodies import MEAN, MEAN_FIELDS, SHARE, SHARE_FIELDS, FieldProblem, Problem, dumped
from labcoat.domain.refusal import Reason, Refusal
from labcoat.words import sending

JSON_TYPE, PROBLEM_TYPE = "application/json", "application/problem+json"
MOST_ERRORS = 20
OPENAPI = "/api/v1/openapi.json"

_STATUS = {
    Reason.UNKNOWN_ID: HTTPStatus.NOT_FOUND,
    Reason.SMALLER_THAN_BEFORE: HTTPStatus.CONFLICT,
    Reason.OTHERS_ALREADY_STORED: HTTPStatus.CONFLICT,
    Reason.WRONG_STAGE: HTTPStatus.CONFLICT,
    Reason.WRONG_STATE: HTTPStatus.CONFLICT,
    Reason.CLOSED: HTTPStatus.CONFLICT,
    Reason.COUNTS_COME_FROM_WAREHOUSE: HTTPStatus.CONFLICT,
}
"""What is wrong with the moment, not with the body; every other refusal is about the body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(
    status: HTTPStatus, model: BaseModel, *, media_type: str = JSON_TYPE, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return a model as an answer."""
    return told(status, json.dumps(dumped(model)), media_type=media_type, headers=headers)


def told(
    status: HTTPStatus, text: str, *, media_type: str = JSON_TYPE, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return JSON text as an answer."""
    kept = {"Content-Type": media_type, "Cache-Control": "no-store", **(headers or {})}
    return Answer(status=status.value, body=text.encode(), headers=kept)


def problem(
    status: HTTPStatus,
    reason: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    errors: list[FieldProblem] | None = None,
) -> Answer:
    """Return why a request was not taken. reason: a few words that never change. detail: for people."""
    model = Problem(title=status.phrase, status=status.value, detail=detail, reason=reason, errors=errors)
    return answer(status, model, media_type=PROBLEM_TYPE, headers=headers)


def crashed(reference: str) -> Answer:
    """Return the answer to a request that met a bug. reference: what the log has it under."""
    detail = f"That didn't work, and nothing was stored. It is logged (ref {reference}). Please try again in a minute."
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "crash", detail)


def of_refusal(refusal: Refusal) -> Answer:
    """Return the answer to a request that a rule says no to."""
    status = _STATUS.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    return problem(status, refusal.reason.value, sending.refused(refusal))


def of_body(error: ValidationError) -> Answer:
    """Return the answer to a body that is JSON but not what is asked for."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    errors = [FieldProblem(pointer=_pointer(one["loc"]), detail=_words(one["type"], one["msg"])) for one in found]
    first = errors[0]
    detail = f"{first.pointer}: {first.detail}. Nothing was stored; {OPENAPI} describes the body."
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(status, "body not understood", detail, errors=errors[:MOST_ERRORS])


def _pointer(place: tuple[int | str, ...]) -> str:
    # Behind the variant pydantic names which of the two shapes it took, which is no place in the body.
    parts = [part for position, part in enumerate(place) if position != 3 or part not in (SHARE, MEAN)]
    return "#" + "".join("/" + str(part)[:80].replace("~", "~0").replace("/", "~1") for part in parts)


def _words(kind: str, message: str) -> str:
    match kind:
        case "union_tag_not_found":
            return f"Give {SHARE_FIELDS}, or {MEAN_FIELDS}"
        case "extra_forbidden":
            return "This name is not known here"
        case "missing":
            return "This is missing"
    return message.removeprefix("Value error, ")
