"""Editing the words of a hypothesis: old and new are told, and two people at once lose nothing."""

from dataclasses import replace

from journeys.playing import DAY, FILE, H1, TEAM, Play, read
from labcoat.db import dossiers
from labcoat.demo import people
from labcoat.domain.ids import UserId
from labcoat.domain.member import Member
from labcoat.domain.steps import hypothesis as steps
from labcoat.usecases.hypotheses import hypotheses, prototypes
from slack_sandbox.reading import plain_text


def form_text(view: dict[str, object] | None) -> str:
    return plain_text({"blocks": (view or {})["blocks"]})


def test_an_edit_is_told_as_old_and_new(play: Play) -> None:
    play.files(play.ana)

    play.types(play.ana, "/hypothesis edit H-1")
    play.submits(play.ana, metric="orders per session", tags="search, fresh")

    assert "the metric: orders per user → orders per session; the tags: nothing → search, fresh" in play.thread()[-1]
    assert "orders per session" in read(play.card())


def test_saying_the_same_again_tells_nobody(play: Play) -> None:
    play.files(play.ana)
    before = play.thread()

    play.types(play.ana, "/hypothesis edit H-1")
    play.submits(play.ana)

    assert play.thread() == before


def test_only_the_owner_edits(play: Play) -> None:
    play.files(play.ana)

    assert "Only the owner of H-1" in play.asks(play.ben, "/hypothesis edit H-1")


def test_after_evidence_a_reason_is_asked_and_stays_visible(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)

    play.types(play.ana, "/hypothesis edit H-1")
    refused = play.is_refused(play.ana, change="Show cheap offers first")
    play.submits(play.ana, change="Show cheap offers first", reason="Testers only talked about prices")

    assert "there is evidence about the words as they were" in refused["reason"]
    assert "Why: Testers only talked about prices" in play.thread()[-1]


def test_tags_need_no_reason(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)

    play.types(play.ana, "/hypothesis edit H-1")
    play.submits(play.ana, tags="search")

    assert "the tags: nothing → search" in play.thread()[-1]


def test_a_form_left_open_for_a_day_is_still_taken(play: Play) -> None:
    play.types(play.ana, "/hypothesis Show fresh offers first")
    play.move_to(play.now() + DAY)

    play.submits(play.ana, **FILE)

    assert "H-1 · Hypothesize · day 1" in read(play.card())


def test_after_the_start_only_the_tags_can_change(play: Play) -> None:
    play.runs(play.ana)

    view = play.types(play.ana, "/hypothesis edit H-1")
    play.submits(play.ana, tags="search")

    assert "the words are fixed" in form_text(view)
    assert "change" not in (view or {})["state"]["values"]
    assert "the tags: nothing → search" in play.thread()[-1]


def elsewhere(play: Play, metric: str) -> None:
    """Ana edits it in another window."""
    with play.bot.database.writing() as tx:
        dossier = dossiers.find(tx, TEAM, H1)
        assert dossier is not None
        statement = replace(steps.statement_of(dossier.hypothesis), metric=metric)
        by = Member(user=UserId(people.ANA))
        hypotheses.edit(tx, dossier, statement, by=by, reason=None, now=play.now())
    play.deliver()


def test_who_saves_second_is_told_what_the_first_changed_and_loses_nothing(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis edit H-1")
    elsewhere(play, metric="orders per session")

    done = play.ana.submit({"metric": "revenue per user", "because": "Ben watched five people"})

    shown = play.ana.view
    assert done.ok
    assert "changed this on" in form_text(shown)
    assert "orders per user → orders per session" in form_text(shown)
    values = shown["state"]["values"]
    assert values["metric"]["answer"]["value"] == "revenue per user"
    assert values["because"]["answer"]["value"] == "Ben watched five people"
    assert "Replace theirs" in str(shown["submit"])

    play.submits(play.ana)

    assert "the metric: orders per session → revenue per user" in play.thread()[-1]


def test_other_changes_meanwhile_do_not_disturb_who_edits(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis edit H-1")
    with play.bot.database.writing() as tx:
        dossier = dossiers.find(tx, TEAM, H1)
        assert dossier is not None
        by = Member(user=UserId(people.BEN))
        prototypes.add_need(tx, dossier, by=by, summary="Feature flags", now=play.now())

    play.submits(play.ana, metric="revenue")

    assert "orders per user → revenue" in play.thread()[-1]
