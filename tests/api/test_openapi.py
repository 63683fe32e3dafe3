"""The OpenAPI document is valid, and says what the API does."""

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from labcoat.api import openapi
from labcoat.api.bodies import Results

DOCUMENT: dict[str, Any] = json.loads(openapi.text())


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_it_describes_the_body_that_is_checked() -> None:
    described = DOCUMENT["components"]["schemas"]["Results"]

    assert set(described["properties"]) == set(Results.model_fields)
    assert described["additionalProperties"] is False


def test_its_example_is_taken() -> None:
    field = DOCUMENT["components"]["schemas"]["Results"]["properties"]["metrics"]

    assert Results.model_validate_json(json.dumps({"metrics": field["examples"][0]})).metrics


@pytest.mark.parametrize("status", ["201", "400", "401", "403", "404", "409", "413", "415", "422", "429"])
def test_every_answer_is_described(status: str) -> None:
    assert status in DOCUMENT["paths"][openapi.RESULTS]["post"]["responses"]
