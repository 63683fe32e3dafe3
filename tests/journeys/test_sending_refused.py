"""Whatever a program gets wrong is answered as a problem that says where and what to do; nothing is stored."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from journeys.playing import E1, TEAM, Play
from journeys.sending import GOOD, Program, a_program, run_experiment, share, totals
from labcoat.db import looks, workspaces
from labcoat.db.tables import schema
from labcoat.domain.ids import WorkspaceId
from labcoat.domain.look import Entry
from labcoat.usecases.people import tokens as token_usecases

ELSEWHERE = WorkspaceId("T0ELSEWHERE")

ARMS = GOOD["metrics"]["orders per user"]


def with_control(**fields: Any) -> dict[str, Any]:
    return totals({**share(1000, 10_000), **fields}, share(1400, 10_000))


BODIES: dict[str, tuple[Any, int, str]] = {
    "nothing": (b"", 400, "no JSON"),
    "no json": (b"metrics: {}", 400, "line 1, column 1"),
    "not utf-8": (b'{"metrics": "\xff"}', 400, "UTF-8"),
    "nested": (b"[" * 500_000, 400, "nested"),
    "open string": (b'{"a": "' + b'\\"' * 400_000, 400, "no JSON"),
    "a name twice": (b'{"metrics": {}, "metrics": {}}', 400, "“metrics” is in the body twice"),
    "nan": (json.dumps(with_control(successes=float("nan"))).encode(), 400, "NaN is no number"),
    "infinity": (json.dumps(with_control(units=float("inf"))).encode(), 400, "Infinity is no number"),
    "infinite in digits": (b'{"metrics":{"m":{"a":{"units":1,"mean":1e999,"sd":1}}}}', 422, "/m/a/mean"),
    "thousands of digits": (
        b'{"metrics":{"m":{"a":{"units":' + b"9" * 10_000 + b',"mean":1,"sd":1}}}}',
        400,
        "too long",
    ),
    "lone surrogate": (b'{"metrics": {"\\ud800": {}}}', 422, "#"),
    "a list": ([], 422, "#"),
    "no metrics": ({}, 422, "#/metrics: This is missing"),
    "empty metrics": ({"metrics": {}}, 422, "#/metrics"),
    "empty variants": ({"metrics": {"orders per user": {}}}, 422, "#/metrics/orders per user"),
    "unknown field": ({**GOOD, "metric": "orders"}, 422, "#/metric: This name is not known here"),
    "text for a count": (with_control(units="10000"), 422, "#/metrics/orders per user/control/units"),
    "fraction of a unit": (with_control(units=10_000.5), 422, "control/units"),
    "true for a count": (with_control(successes=True), 422, "control/successes"),
    "null": (with_control(successes=None), 422, "control/successes"),
    "negative": (with_control(successes=-1), 422, "control/successes"),
    "too large": (with_control(units=10**13), 422, "control/units"),
    "more events than units": (with_control(successes=10_001), 422, "more successes (10,001) than units (10,000)"),
    "no numbers": (totals({"units": 3}, {"units": 3}), 422, "Give units and successes, or units, mean and sd"),
    "a number for totals": ({"metrics": {"orders per user": {"control": 3}}}, 422, "orders per user/control"),
    "another kind": (
        totals({"units": 3, "mean": 1, "sd": 1}, {"units": 3, "mean": 1, "sd": 1}),
        422,
        "is a share of units, so each variant needs units and successes",
    ),
    "half a covariate": (
        totals(
            {"units": 3, "mean": 1, "sd": 1, "before": {"mean": 1, "sd": 1, "covariance": 0.5}},
            {"units": 3, "mean": 1, "sd": 1},
        ),
        422,
        "for every variant, or for none",
    ),
    "unknown metric": (totals(*ARMS.values(), metric="order per user"), 422, "Did you mean “orders per user”?"),
    "a metric twice": ({"metrics": {"orders per user": ARMS, "Orders per user": ARMS}}, 422, "is there twice"),
    "unknown variant": (
        {"metrics": {"orders per user": {"control": share(1, 2), "treatmnet": share(1, 2)}}},
        422,
        "Did you mean “treatment”?",
    ),
    "missing variant": (
        {"metrics": {"orders per user": {"control": share(1, 2)}}},
        422,
        "The numbers of “treatment” are missing from orders per user",
    ),
    "a variant twice": (
        {"metrics": {"orders per user": {**ARMS, "Control": share(1, 2)}}},
        422,
        "“Control” is there twice",
    ),
    "no zone": ({**GOOD, "as_of": "2026-11-25T08:00:00"}, 422, "#/as_of: Input should have timezone info"),
    "no time": ({**GOOD, "as_of": "yesterday"}, 422, "#/as_of"),
    "a number for a time": ({**GOOD, "as_of": 1_700_000_000}, 422, "#/as_of"),
    "the future": ({**GOOD, "as_of": "2099-01-01T00:00:00Z"}, 422, "still to come"),
    "before the start": ({**GOOD, "as_of": "2020-01-01T00:00:00Z"}, 422, "not after the experiment's start"),
    "text for yes": ({**GOOD, "is_correction": "yes"}, 422, "#/is_correction"),
    "long name": (totals(*ARMS.values(), metric="m" * 76), 422, "#/metrics"),
    "hostile name": (totals(*ARMS.values(), metric="'; DROP TABLE entries; --"), 422, "is no metric of the plan"),
}


@pytest.fixture(scope="module")
def shared(module_play: Callable[..., Play]) -> Play:
    """An experiment that takes totals, and gets none that it can take."""
    play = module_play()
    run_experiment(play)
    return play


@pytest.fixture
def program(shared: Play, request: pytest.FixtureRequest) -> Program:
    """A program of the test's own, since each has a pace of its own."""
    return a_program(shared, name=f"For {abs(hash(request.node.name))}")


def stored(play: Play) -> Mapping[str, Entry]:
    with play.bot.database.reading() as tx:
        return looks.newest_entries(tx, TEAM, E1)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_taken_is_told_where_and_why(program: Program, shared: Play, name: str) -> None:
    body, status, said = BODIES[name]

    answer = program.send(body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert said in problem["detail"]
    assert (problem["type"], problem["status"], bool(problem["title"])) == ("about:blank", status, True)
    assert stored(shared) == {}


def test_more_than_a_megabyte_is_not_read(program: Program) -> None:
    answer = program.send(b" " * 1_000_001)

    assert answer.status_code == 413
    assert "Send totals, not rows" in answer.json()["detail"]


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_taken(program: Program, media_type: str) -> None:
    assert program.send(GOOD, Content_Type=media_type).status_code == 415


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "\xe4"])
def test_a_key_is_short_and_printable(program: Program, key: str) -> None:
    answer = program.send(GOOD, Idempotency_Key=key)

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_told_which_one_it_takes(program: Program, method: str) -> None:
    answer = program.ask(method, "/api/v1/experiments/E-1/results")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v2/experiments/E-1/results", "/api/v1/experiments"])
def test_other_addresses_say_where_to_look(program: Program, path: str) -> None:
    answer = program.ask("GET", path)

    assert answer.status_code == 404
    assert "/api/v1/openapi.json" in answer.json()["detail"]


def test_an_experiment_of_another_workspace_is_as_unknown_as_one_that_never_was(shared: Play) -> None:
    with shared.bot.database.writing() as tx:
        workspaces.add_once(tx, schema.workspaces, {"id": ELSEWHERE})
    stranger = a_program(shared, name="Stranger", workspace=ELSEWHERE)

    of_others, of_nobody = stranger.send(GOOD, to="E-1"), stranger.send(GOOD, to="E-2")

    assert of_others.status_code == of_nobody.status_code == 404
    assert of_others.text == of_nobody.text.replace("E-2", "E-1")
    assert {*of_others.headers} == {*of_nobody.headers}
    assert stored(shared) == {}


@pytest.mark.parametrize("identifier", ["H-1", "1", "E-0", "E-999999999", "E-1%00", "..", "%2e%2e"])
def test_what_names_no_experiment_is_not_found(program: Program, identifier: str) -> None:
    assert program.send(GOOD, to=identifier).status_code == 404


def test_a_token_without_the_scope_is_known_but_may_not(shared: Play) -> None:
    assert a_program(shared, name="Reader", scopes=frozenset()).send(GOOD).status_code == 403


@pytest.mark.parametrize("shown", ["", "Bearer", "Basic abc", "Bearer labcoat_00000000_" + "0" * 64, "Bearer \xff"])
def test_without_a_token_that_works_nothing_is_taken(program: Program, shared: Play, shown: str) -> None:
    answer = program.send(GOOD, Authorization=shown)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="labcoat"'
    assert stored(shared) == {}


def test_a_wrong_secret_of_a_known_token_is_refused(program: Program) -> None:
    wrong = program.token[:-1] + ("0" if program.token[-1] != "0" else "1")

    assert program.send(GOOD, Authorization=f"Bearer {wrong}").status_code == 401


def test_a_revoked_token_works_no_more(program: Program, shared: Play) -> None:
    token_id = program.token.split("_")[1]
    with shared.bot.database.writing() as tx:
        token_usecases.revoke(tx, token_id, at=datetime.now(UTC))

    assert program.send(GOOD).status_code == 401


def test_who_sends_too_often_is_told_how_long_to_wait(program: Program, shared: Play) -> None:
    for _ in range(60):
        assert program.send(b"{").status_code == 400

    refused = program.send(GOOD)

    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert a_program(shared, name="Another").send(b"{").status_code == 400
