"""Results over HTTP: from a request to one use case in one transaction, and back."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from http import HTTPStatus

from pydantic import ValidationError

from labcoat.api import openapi, problem_details, reading
from labcoat.api.bodies import Recorded, Results, look_made, totals_of
from labcoat.api.problem_details import JSON_TYPE, Answer, problem, told
from labcoat.api.token_limit import TokenLimit
from labcoat.db import api_answers, clock, tokens
from labcoat.db.database import Database, Transaction
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.subject import Subject, find_subject
from labcoat.domain.token import Scope, Token
from labcoat.usecases import finding
from labcoat.usecases.experiments import recording, results
from labcoat.usecases.people import tokens as token_usecases
from labcoat.words import sending

_RESULTS = re.compile(r"/api/v1/experiments/(?P<id>[^/]+)/results")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEY_HEADER = "idempotency-key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request. headers: by lower-case name. body: None if it is more than `reading.MOST_BYTES`."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Answers requests; may be used by several threads."""

    database: Database
    pace: TokenLimit
    _document: bytes = field(default_factory=openapi.text)

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request."""
        if request.path == problem_details.OPENAPI:
            if request.method not in ("GET", "HEAD"):
                return _not_allowed("GET")
            return Answer(status=200, body=self._document, headers={"Content-Type": JSON_TYPE})
        found = _RESULTS.fullmatch(request.path)
        if found is None:
            detail = f"There is nothing at this address. {problem_details.OPENAPI} says what there is."
            return problem(HTTPStatus.NOT_FOUND, "unknown address", detail)
        if request.method != "POST":
            return _not_allowed("POST")
        return self._take_results(request, found["id"])

    def _take_results(self, request: Request, identifier: str) -> Answer:
        token = self._recognised(request.headers.get("authorization", ""))
        if token is None:
            return _unknown_token()
        if not token.allows(Scope.RESULTS_WRITE):
            detail = f"This token has not the scope {Scope.RESULTS_WRITE}. Make one that has: labcoat token create."
            return problem(HTTPStatus.FORBIDDEN, "scope missing", detail)
        wait = self.pace.wait_seconds(token.id)
        if wait:
            detail = f"This token sends more often than it may. Try again in {wait} s; nothing was stored."
            return problem(HTTPStatus.TOO_MANY_REQUESTS, "too often", detail, headers={"Retry-After": str(wait)})
        key = request.headers.get(_KEY_HEADER)
        if key is not None and not _KEY.fullmatch(key):
            detail = "Idempotency-Key is 1 to 255 printable ASCII characters without spaces. Example: a UUID."
            return problem(HTTPStatus.BAD_REQUEST, "key not usable", detail)
        parsed = _parsed(request)
        if isinstance(parsed, Answer):
            return parsed
        try:
            return self._once(token, key, _hash(request), parsed, identifier)
        except Refusal as refusal:
            return problem_details.of_refusal(refusal)

    def _recognised(self, authorization: str) -> Token | None:
        scheme, _, text = authorization.partition(" ")
        if scheme.casefold() != "bearer":
            return None
        with self.database.reading() as tx:
            return token_usecases.recognise(tx, text.strip())

    def _once(self, token: Token, key: str | None, request_hash: str, body: Results, identifier: str) -> Answer:
        """Store results, or answer what was answered to the same key before."""
        while True:
            try:
                with self.database.writing() as tx:
                    return _stored(tx, token, key, request_hash, body, identifier)
            except api_answers.KeyTakenError:
                continue  # it has committed: its answer is found now


def _stored(
    tx: Transaction, token: Token, key: str | None, request_hash: str, body: Results, identifier: str
) -> Answer:
    at = clock.machine_now()
    if not tokens.use(tx, token.id, at=at):
        return _unknown_token()
    if key is not None:
        earlier = api_answers.find(tx, token.id, key)
        if earlier is not None:
            return _again(*earlier, request_hash)
        api_answers.claim(tx, token.id, key, request_hash=request_hash, at=at)
    recorded = _record(tx, token, body, identifier)
    said = recorded.model_dump_json()
    if key is not None:
        api_answers.settle(tx, token.id, key, answer=said)
    return told(HTTPStatus.CREATED, said)


def _again(earlier_hash: str, said: str, request_hash: str) -> Answer:
    if earlier_hash != request_hash:
        detail = "This Idempotency-Key came with another body or experiment before. Use a new key for a new sending."
        return problem(HTTPStatus.CONFLICT, "key used before", detail)
    return told(HTTPStatus.CREATED, said)


def _record(tx: Transaction, token: Token, body: Results, identifier: str) -> Recorded:
    now = clock.business_now(tx)
    subject = _subject(identifier)
    dossier = finding.get_dossier(tx, token.workspace, subject)
    experiment = finding.get_experiment(dossier, subject)
    recording.require_typed(experiment)
    as_of = body.as_of.astimezone(UTC) if body.as_of else now
    totals = totals_of(body, experiment.plan)
    taken = recording.take(
        tx,
        dossier,
        experiment.number,
        by=token.program,
        totals=totals,
        as_of=as_of,
        is_correction=body.is_correction,
        wrong_since=body.wrong_since.astimezone(UTC) if body.wrong_since else None,
        now=now,
    )
    shown = results.show(tx, dossier, experiment, now=now)
    readout = taken.look.readout if taken.look is not None else None
    return Recorded(
        experiment=f"E-{experiment.number}",
        recorded=list(taken.metrics),
        as_of=as_of,
        sent_by=token.program.name,
        look=look_made(readout) if readout else None,
        says=sending.stored(taken, experiment.plan, missing=shown.missing),
    )


def _subject(identifier: str) -> Subject:
    found = find_subject(identifier)
    if found is None or found.experiment is None:
        raise Refusal(Reason.UNKNOWN_ID, id=identifier[:20])
    return found


def _parsed(request: Request) -> Results | Answer:
    """Return what was sent, or the answer to what cannot be read."""
    if request.body is None:
        detail = f"The body is more than {reading.MOST_BYTES:,} bytes. Send totals, not rows; nothing was stored."
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body too large", detail)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if media_type != JSON_TYPE:
        detail = f"Send JSON, with the header Content-Type: {JSON_TYPE}."
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not json", detail)
    try:
        reading.require_plain(request.body)
        return Results.model_validate_json(request.body)
    except reading.NotJsonError as error:
        return problem(HTTPStatus.BAD_REQUEST, "not json", str(error))
    except ValidationError as error:
        return problem_details.of_body(error)


def _hash(request: Request) -> str:
    assert request.body is not None
    return hashlib.sha256(request.path.encode() + b"\n" + request.body).hexdigest()


def _unknown_token() -> Answer:
    detail = "This takes a token that works, as Authorization: Bearer labcoat_... Make one: labcoat token create."
    headers = {"WWW-Authenticate": 'Bearer realm="labcoat"'}
    return problem(HTTPStatus.UNAUTHORIZED, "token unknown", detail, headers=headers)


def _not_allowed(method: str) -> Answer:
    detail = f"This address takes {method}."
    return problem(HTTPStatus.METHOD_NOT_ALLOWED, "method not allowed", detail, headers={"Allow": method})
