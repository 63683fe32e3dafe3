"""The OpenAPI document, made from the models that check requests, so that it cannot say anything else."""

import json
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

import labcoat
from labcoat.api import bodies
from labcoat.api.problem_details import JSON_TYPE, OPENAPI, PROBLEM_TYPE
from labcoat.domain.token import Scope

RESULTS = "/api/v1/experiments/{id}/results"

_REFUSED = {
    HTTPStatus.BAD_REQUEST: "The body is no JSON, or a header cannot be used.",
    HTTPStatus.UNAUTHORIZED: "No token, or one that does not work.",
    HTTPStatus.FORBIDDEN: "The token may not do this.",
    HTTPStatus.NOT_FOUND: "The token's workspace has no such experiment.",
    HTTPStatus.CONFLICT: "Smaller totals than before, an experiment that takes none, a key used for another body.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "More than 1 MB.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Not application/json.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "JSON, but not what the plan can take.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too often; Retry-After says how many seconds to wait.",
}


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    _, described = models_json_schema(
        [(model, "validation") for model in bodies.schemas()], ref_template="#/components/schemas/{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Labcoat",
            "version": labcoat.__version__,
            "description": "Send an experiment's totals from where the data lives.",
        },
        "paths": {RESULTS: {"post": _send()}, OPENAPI: {"get": _describe()}},
        "components": {
            "schemas": described["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "As `labcoat token create` shows it."}
            },
        },
    }


@cache
def text() -> bytes:
    """Return the document as it is served."""
    return json.dumps(document()).encode()


def _send() -> dict[str, Any]:
    taken = {"description": "Stored. The same key with the same body is answered the same again.", **_of("Recorded")}
    refused = {
        str(status.value): {"description": said, **_of("Problem", PROBLEM_TYPE)} for status, said in _REFUSED.items()
    }
    return {
        "operationId": "sendResults",
        "summary": "Send totals since the start",
        "description": f"Needs a token with the scope `{Scope.RESULTS_WRITE}`. All metrics are stored, or none.",
        "security": [{"token": []}],
        "parameters": [
            {
                "name": "id",
                "in": "path",
                "required": True,
                "description": "The experiment, as Slack shows it.",
                "schema": {"type": "string", "examples": ["E-7"]},
            },
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "Names this sending for 24 hours, so that it can be repeated when its answer is lost.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            },
        ],
        "requestBody": {"required": True, **_of("Results")},
        "responses": {"201": taken, **refused},
    }


def _describe() -> dict[str, Any]:
    said = {"description": "OpenAPI 3.1.", "content": {JSON_TYPE: {"schema": {"type": "object"}}}}
    return {"operationId": "describe", "summary": "This document", "security": [], "responses": {"200": said}}


def _of(model: str, media_type: str = JSON_TYPE) -> dict[str, Any]:
    return {"content": {media_type: {"schema": {"$ref": f"#/components/schemas/{model}"}}}}
