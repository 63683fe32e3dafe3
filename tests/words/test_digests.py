"""The digest in words: a headline and only the groups that have something to say."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import TypeAdapter

from builders import NOW, OWNER, a_dossier, a_dropped, a_fixed_cause, a_plan, a_readout, an_experiment
from labcoat.domain.digest import ClosedItem, DecideItem, Digest, HealthItem, ResultItem, StalledItem
from labcoat.domain.hypothesis import Decision, Outcome
from labcoat.domain.ids import ExperimentNumber, HypothesisNumber
from labcoat.domain.lifecycle import ExperimentState
from labcoat.stats import readout as reading
from labcoat.stats.results import Finding, Readout, Verdict
from labcoat.stats.rule import Direction, MetricKind
from labcoat.words import digests
from readouts import a_photo_plan, a_win_and_a_harm
from usecases.storing import a_sample

H4, E4 = HypothesisNumber(4), ExperimentNumber(4)
CHANGE = "Show fresh offers first"
NOTHING = Digest(
    monday=date(2026, 11, 23),
    is_late=False,
    closed_count=0,
    learned_by_experiment=0,
    learned_by_prototype=0,
    open_count=0,
    waiting_count=0,
    oldest_waiting=None,
    oldest_waiting_change="",
    oldest_waiting_days=0,
)
DECIDE = DecideItem(hypothesis=H4, change=CHANGE, asked_of=OWNER, asked_at=NOW)
STALLED = StalledItem(hypothesis=H4, change=CHANGE, why="stopped, not decided", days=1)
CLOSED = ClosedItem(
    hypothesis=H4,
    change=CHANGE,
    outcome=Outcome.REFUTED,
    decision=Decision.NOT_BUILT,
    learning="Age matters less than price.",
    days_not_spent=15.5,
)


def _health(said: Readout | None, problem: str | None = None) -> HealthItem:
    return HealthItem(hypothesis=H4, experiment=E4, change=CHANGE, readout=said, problem=problem)


def _result() -> ResultItem:
    said = reading.read(a_plan().rule(), a_sample(treated=600), day=20, past=())
    assert isinstance(said, Readout)
    return ResultItem(
        hypothesis=H4,
        experiment=E4,
        change=CHANGE,
        metric="orders per user",
        kind=MetricKind.PROPORTION,
        direction=Direction.UP,
        estimate=said.estimates[0],
        readout=said,
        as_of=NOW,
    )


@pytest.mark.parametrize(
    ("digest", "headline"),
    [
        (
            replace(NOTHING, closed_count=9, learned_by_experiment=4, learned_by_prototype=3),
            "Learned from 7 of 9 closed: 4 by experiment, 3 by prototype.",
        ),
        (replace(NOTHING, closed_count=1), "Learned from 0 of 1 closed."),
        (replace(NOTHING, open_count=2, decide=(DECIDE,)), "2 hypotheses are open. None was closed this week."),
        (replace(NOTHING, open_count=1), "No new results. 1 hypothesis is open."),
        (
            replace(
                NOTHING,
                open_count=3,
                waiting_count=3,
                oldest_waiting=H4,
                oldest_waiting_change=CHANGE,
                oldest_waiting_days=1,
            ),
            "No new results. 3 hypotheses are waiting; the oldest, for 1 day: H-4 Show fresh offers first.",
        ),
    ],
)
def test_the_headline(digest: Digest, headline: str) -> None:
    assert digests.headline(digest) == headline


def test_groups_come_by_urgency_and_only_with_lines() -> None:
    everything = replace(
        NOTHING,
        open_count=4,
        decide=(DECIDE,),
        health=(_health(None, "no column"),),
        results=(_result(),),
        closed=(CLOSED,),
        stalled=(STALLED,),
    )

    titles = [group.title for group in digests.groups(everything)]

    assert titles == ["Decide now", "Health", "New results", "Closed", "Stalled"]
    assert digests.groups(NOTHING) == []


def test_people_are_mentioned_only_under_decide_now() -> None:
    groups = digests.groups(replace(NOTHING, decide=(DECIDE,), stalled=(STALLED,)))

    assert [group.people for group in groups] == [(OWNER,), ()]


def _only_line(digest: Digest) -> str:
    ((line,),) = (group.lines for group in digests.groups(digest))
    return line


def test_a_result_has_its_verdict_first_and_its_effect_with_interval_and_unit() -> None:
    line = _only_line(replace(NOTHING, results=(_result(),)))

    assert line.startswith("E-4 Show fresh offers first · Win: +20 % orders per user (")


def test_what_was_closed_tells_the_learning_and_the_days_not_spent() -> None:
    assert _only_line(replace(NOTHING, closed=(CLOSED,))) == (
        "H-4 Show fresh offers first: refuted, not built (15.5 person-days not spent). Age matters less than price."
    )


def test_a_harm_beside_a_win_names_the_treatment_and_the_metric() -> None:
    item = replace(_health(a_win_and_a_harm()), plan=a_photo_plan())

    assert _only_line(replace(NOTHING, health=(item,))) == (
        "E-4 Show fresh offers first · photos_small harms refunds: +94 % (32 to 200)."
    )


def test_a_result_counts_the_other_arms() -> None:
    item = replace(_result(), readout=a_win_and_a_harm(has_more=True), plan=a_photo_plan())

    assert _only_line(replace(NOTHING, results=(item,))) == (
        "E-4 Show fresh offers first · photos_big wins: +4.1 % orders per user (1.2 to 7.0), +2 arms."
    )


def test_a_digest_that_an_earlier_version_put_in_the_outbox_is_still_read() -> None:
    before = replace(NOTHING, health=(_health(_result().readout),), results=(_result(),))
    stored = TypeAdapter(Digest).dump_python(before, mode="json")
    for group, later in (("health", ("treatment", "metric", "plan")), ("results", ("treatment", "plan"))):
        for item in stored[group]:
            for name in later:
                del item[name]
            for name in ("treatments", "analysed_splits"):
                del item["readout"][name]
            for name in ("held", "has_moved", "since", "crossing", "constant_arm", "unadjusted_p_value"):
                for estimate in item["readout"]["estimates"]:
                    del estimate[name]

    read = TypeAdapter(Digest).validate_python(stored)

    assert digests.groups(read)[1].lines[0].startswith("E-4 Show fresh offers first · Win: +20 % orders per user (")


def test_no_effect_is_shown_of_an_experiment_that_is_not_valid() -> None:
    reasons = a_readout(Verdict.WIN, Finding.UNEVEN_SPLIT).reasons
    read = _result().readout
    invalid = replace(read.treatments[0], verdict=Verdict.INVALID, reasons=reasons)
    said = replace(read, verdict=Verdict.INVALID, reasons=reasons, treatments=(invalid,))

    line = _only_line(replace(NOTHING, health=(_health(said),)))

    assert "SRM" in line
    assert "+20 %" not in line


def test_unreadable_data_say_why() -> None:
    assert _only_line(replace(NOTHING, health=(_health(None, "no column"),))).endswith("no numbers. no column")


def test_the_title_names_the_week_and_says_when_it_is_late() -> None:
    on_time = digests.title(NOTHING)

    assert "23 November" in on_time
    assert "late" not in on_time
    assert "late" in digests.title(replace(NOTHING, is_late=True))
    assert digests.title(replace(NOTHING, is_late=True), is_preview=True).startswith("Preview")


def test_what_was_done_while_it_ran_stays_in_view_wherever_its_result_is_told() -> None:
    experiment = replace(
        an_experiment(ExperimentState.RUNNING, plan=a_plan(weights=(0.5, 0.25, 0.25))),
        dropped=(a_dropped(),),
        fixed_cause=a_fixed_cause(),
    )
    ran = a_dossier(experiment).while_it_ran(experiment)
    said = (
        " E-7: treatment was dropped on Mon 23 Nov: it crashes."
        " E-7: the cause of an uneven split was fixed on Fri 20 Nov: a redirect lost users (once)."
    )

    for digest in (
        replace(NOTHING, results=(replace(_result(), ran=ran),)),
        replace(NOTHING, health=(replace(_health(a_readout(Verdict.INVALID)), ran=ran),)),
        replace(NOTHING, health=(replace(_health(None, "No column."), ran=ran),)),
        replace(NOTHING, closed=(replace(CLOSED, ran=ran),)),
    ):
        assert _only_line(digest).endswith(said)
