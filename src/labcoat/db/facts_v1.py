"""Rows of the outbox that versions before 0.2 wrote: a fact was told by which keys its details had."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import TypeAdapter

from labcoat.domain import facts, totals_facts
from labcoat.domain.facts import Fact
from labcoat.domain.notice import NoticeKind

ValueT = TypeVar("ValueT")
Details = Mapping[str, Any]
"""As stored: JSON."""


def load(kind: NoticeKind, details: Details) -> Fact:
    """Return the fact of a row without a type. Raises KeyError or ValueError for what no version wrote."""
    match kind:
        case NoticeKind.CARD:
            return _read(facts.CardChanged, details)
        case NoticeKind.STORY | NoticeKind.FOLLOWED | NoticeKind.HEALTH:
            return _story(details)
        case NoticeKind.REQUEST:
            return _read(facts.RequestChanged, details)
        case NoticeKind.ANSWER:
            return _read(facts.RequestAnswered, details)
        case NoticeKind.DIGEST:
            return _read(facts.DigestMade, details)
        case NoticeKind.NUDGE:
            return facts.NudgesChanged()
        case NoticeKind.CHART if "count" in details:
            return _read(facts.ChartsLeftOut, details)
        case NoticeKind.CHART:
            return _read(facts.ChartDue, details, slot="look")
        case NoticeKind.WELCOME:
            return facts.BotInvited()
        case NoticeKind.OWNERSHIP:
            return _ownership(details)
        case NoticeKind.SETTINGS:
            return _read(facts.SettingsChanged, details)
        case NoticeKind.CORRECTED:
            return _questioned(details)
        case NoticeKind.FILE:
            return _file(details)
        case NoticeKind.HOME:
            return facts.HomeChanged()
        case NoticeKind.PROBLEM:
            return _read(facts.NotDelivered, details)


def _read(shape: type[ValueT], details: Details, **renamed: str) -> ValueT:
    """Return the value whose fields the details have. renamed: fields by what the details call them."""
    names = {one.name: renamed.get(one.name, one.name) for one in fields(shape)}  # type: ignore[arg-type]  # facts are
    return TypeAdapter(shape).validate_python({name: details[key] for name, key in names.items() if key in details})


def _ownership(details: Details) -> Fact:
    match details["role"]:
        case "lead":
            return _read(facts.LeadNamed, details)
        case "stand-in":
            return _read(facts.StandInNamed, details)
        case _:
            return _read(facts.OwnershipGiven, details)


def _story(details: Details) -> Fact:
    """Return the fact of a line; which key is there says which it is, in the order of the version that wrote it."""
    if "live" in details:
        return _read(facts.DraftLive, {**details, "since": details["live"] or None})
    if "entry" in details:
        return _read(facts.StepTaken, details)
    if "predicted" in details:
        return _read(facts.PredictionClosest, details, person="predicted")
    if "source" in details:
        return _read(facts.BegunWithMessage, {**details, "author": details["author"] or ""}, link="source")
    if "passed_on" in details:
        return _read(facts.RequestPassedOn, details, asked_of="passed_on")
    if "look" in details:
        return _read(facts.LookMade, details, slot="look")
    if "problem" in details:
        return _read(facts.SourceFailed, details)
    if "redefined" in details:
        return _read(facts.DefinitionsChanged, details, metrics="redefined")
    if "split" in details:
        return _read(facts.SplitUneven, details, p_value="split")
    if "corrected" in details:
        return _corrected(details)
    return _read(totals_facts.TotalsRecorded, {**details, "origin": _origin(details)}, metrics="recorded")


def _origin(details: Details) -> dict[str, Any]:
    return {name: details[name] for name in ("by", "program", "file") if name in details}


def _corrected(details: Details) -> totals_facts.TotalsCorrected:
    names = ("count", "mean", "variance")
    metrics = [
        {**one, **{when: [dict(zip(names, arm, strict=True)) for arm in one[when]] for when in ("old", "new")}}
        for one in details["corrected"]
    ]
    verdicts = [{"treatment": name, "before": was, "after": now} for name, was, now in details["verdicts"]]
    filled = {**details, "corrected": metrics, "verdicts": verdicts, "origin": _origin(details)}
    return _read(totals_facts.TotalsCorrected, filled)


def _questioned(details: Details) -> Fact:
    before, after = details["verdict"]
    correction = _corrected(details)
    return _read(
        totals_facts.DecisionQuestioned, {**details, "correction": correction, "before": before, "after": after}
    )


def _file(details: Details) -> Fact:
    if "export" in details:
        return _read(facts.ExportFailed, details)
    if "stored" in details:
        return _read(facts.FileStored, {**details, "taken": details.get("taken") or ""}, metrics="stored")
    pairs = tuple(details["facts"].items())
    return _read(facts.FileRefused, {**details, "facts": pairs}, job="correct")
