"""The plan form: it says what the plan takes while it is filled in."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceSource
from labcoat.domain.history import HistoryEntry
from labcoat.domain.lifecycle import Stage
from labcoat.slack.blocks import (
    Block,
    actions,
    button,
    context,
    date_input,
    divider,
    escape,
    form,
    moment_input,
    option,
    radio_input,
    section,
    text_input,
)
from labcoat.slack.views.metric import MOST_METRICS, meanings
from labcoat.slack.views.people import mention
from labcoat.slack.views.plan_looks import Looks, looks_blocks
from labcoat.slack.views.plan_measured import Measured
from labcoat.stats.rule import MetricKind
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import numbers, sizing, stories

NOT_SWITCHED = "Labcoat does not switch traffic: do that where you always do, and tell it here."
_DEVIATION = "Of one unit's value. Without it nobody can say how many units it takes."
_DEVIATION_OF_A_RATIO = (
    "Of one unit's part in the ratio, as Labcoat measures it. Without it nobody can say how many units it takes."
)
_REPLACED = "The goal is another metric now, so what was measured of the one before is gone. Check the numbers."
LIVE = "live"
"""What a form's live parts are called; the one of the button that only asks to work it out."""


def plan_form(
    dossier: Dossier,
    texts: Mapping[str, str],
    *,
    metrics: Sequence[MetricDescription],
    looks: Looks,
    measured: Measured,
    line: str = "",
    meanwhile: Sequence[HistoryEntry] = (),
    zone: str,
    since: datetime | None = None,
    metadata: str,
) -> Block:
    """Return the plan form.

    texts: what its fields hold, by block id. metrics: of the metrics file, which is read every day.
    looks: what it offers for repeated looks. measured: of the metrics, for what people leave open.
    line: what the plan takes, as far as it is filled in.
    meanwhile: how others changed the draft since it was opened.
    since: when an experiment began that runs already and is adopted; None to plan one that will.
    """
    known = ", ".join(one.name for one in metrics[:MOST_METRICS])
    hint = f"Read every day if it is in the metrics file: {known}." if known else "Its totals are typed in by people."
    unit = texts["unit"] or "user"
    blocks: list[Block] = [_changed_meanwhile(entry, zone) for entry in meanwhile[-3:]]
    if since is not None:
        blocks.append(moment_input("since", "Since when is it live?", initial=since, hint=NOT_SWITCHED))
    blocks += [
        text_input("goal", "Goal metric: the one that decides", initial=texts["goal"], hint=hint, is_live=True),
        *meanings(metrics),
        radio_input(
            "kind",
            "What is it, per unit?",
            [option(MetricKind.PROPORTION, "yes or no (a proportion)"), option(MetricKind.MEAN, "a number (a mean)")],
            initial=texts["kind"],
            hint="For a metric of the metrics file, the file decides.",
            is_live=True,
        ),
        text_input(
            "baseline",
            "What is it today?",
            initial=texts["baseline"],
            example="19 %, or 4.2",
            is_optional=True,
            is_live=True,
            key=measured.key,
        ),
        *([context(f":bar_chart: {escape(measured.goal)}")] if measured.goal else []),
        *([section(f":arrows_counterclockwise: {_REPLACED}")] if measured.has_replaced else []),
    ]
    kind = _kind(texts, metrics)
    if kind != MetricKind.PROPORTION:
        blocks.append(
            text_input(
                "deviation",
                "Its standard deviation",
                initial=texts["deviation"],
                hint=_DEVIATION_OF_A_RATIO if kind == MetricKind.RATIO else _DEVIATION,
                example="7.9",
                is_optional=True,
                is_live=True,
                key=measured.key,
            )
        )
    blocks += [
        text_input(
            "minimum_effect",
            "Smallest effect worth having",
            initial=texts["minimum_effect"],
            hint="Below this you would not build it. Percent is of the baseline.",
            example="5 %, or 0.5 points",
            is_live=True,
        ),
        text_input(
            "units_per_day",
            "How many new ones come a day?",
            initial=texts["units_per_day"],
            hint=f"New {unit}s a day who would be part of it, all variants together.",
            example="1,500",
            is_optional=True,
            is_live=True,
            key=measured.key,
        ),
        text_input("planned_days", "Planned days", initial=texts["planned_days"], example="28", is_live=True),
        section(f":triangular_ruler: {escape(line or sizing.WAITING)}"),
        actions([button("Work it out", verb=LIVE, value="", key="work_it_out")]),
        text_input(
            "variants",
            "Variants and their shares, control first",
            initial=texts["variants"],
            example="control 50, treatment 50",
        ),
        text_input("unit", "What is randomised?", initial=texts["unit"], example="user"),
        *looks_blocks(looks, texts, unit=unit),
        text_input(
            "guardrails",
            "Guardrails and other metrics, one a line",
            initial=texts["guardrails"],
            hint="Name a metric that should not get worse. Example: refund rate down, margin 0.2 points, today 2 %. "
            "What it is today lets the plan's power cover it. Put “secondary” in front of one that only explores, and "
            "“mean” in front of one that is a number per unit, with its deviation: today 4.2, sd 7.9.",
            is_long=True,
            is_optional=True,
        ),
    ]
    if measured.others:
        blocks.append(context(f":bar_chart: {escape(measured.others)}"))
    blocks += [] if since is not None else _reason_input(dossier, texts["evidence_reason"])
    blocks += [
        divider(),
        context("*More*, all optional"),
        text_input(
            "experiment_key", "Its name in the exposure data", initial=texts["experiment_key"], is_optional=True
        ),
    ]
    if since is None:
        blocks += [
            date_input("starts_on", "Only for data of the past: first day", initial=texts["starts_on"]),
            date_input("ends_on", "Only for data of the past: last day", initial=texts["ends_on"]),
        ]
        return form("plan", title="Plan an experiment", submit="Plan it", metadata=metadata, blocks=blocks)
    return form("adopt", title="Adopt an experiment", submit="It runs", metadata=metadata, blocks=blocks)


def _kind(texts: Mapping[str, str], metrics: Sequence[MetricDescription]) -> str:
    """Return what kind of metric the goal is: for one of the metrics file, the file decides."""
    goal = texts["goal"].casefold()
    return next((one.kind for one in metrics if one.name.casefold() == goal), texts["kind"])


def _changed_meanwhile(entry: HistoryEntry, zone: str) -> Block:
    changed, at = escape("; ".join(stories.changed_plan(entry))), numbers.day_and_time(entry.at, zone)
    return section(
        f":busts_in_silhouette: {mention(entry.by)} changed this plan on {at}, while you were typing: {changed}. "
        "What you typed is below; saving it replaces theirs."
    )


def _reason_input(dossier: Dossier, text: str) -> list[Block]:
    if dossier.hypothesis.stage is Stage.HYPOTHESIZE:
        label = "Why no prototype?"
        hint = "A prototype is cheaper than an experiment. The reason stays visible."
    elif dossier.hypothesis.stage is Stage.PROTOTYPE and not any(
        one.kind.source is EvidenceSource.USERS for one in dossier.evidence
    ):
        label = "No user has reacted yet: why go on?"
        hint = "It will be shown as “no user feedback yet”."
    else:
        return []
    return [text_input("evidence_reason", label, initial=text, hint=hint, is_long=True)]
