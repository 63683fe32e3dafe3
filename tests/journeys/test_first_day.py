"""The first day: the welcome, past work with a preview, and nothing that is required before the first hypothesis."""

import pytest

from journeys.playing import Play, read
from journeys.test_editing import form_text
from labcoat.demo import people
from slack_sandbox.wire import Json

TABLE = """title;outcome;learning;closed;tags
Bigger photos;refuted;People compare prices first;2025-03-31;search, photos
One click;win;It sells;;
Translate the filters;;;;
Bigger photos;refuted;twice;;
;refuted;no title;;
Odd one;sideways;;not a day;
"""


def uploads(play: Play, content: bytes, name: str = "past.csv") -> Json:
    play.types(play.ana, "/hypothesis import")
    file = play.ana.upload(name, content)
    return play.ana.submit({"file": [file]}).errors


def test_an_invited_bot_says_once_what_it_does(play: Play) -> None:
    play.slack.invite_bot(people.GENERAL)
    play.deliver()
    play.slack.invite_bot(people.GENERAL)
    play.deliver()

    (welcome,) = play.channel(people.GENERAL)
    assert "I help this team learn before it builds" in read(welcome)
    assert "[File the first] [Bring past work] [Set up]" in read(welcome)


def test_other_peoples_joining_is_not_welcomed(play: Play) -> None:
    play.slack.person(people.GIA).join(people.GENERAL)
    play.deliver()

    assert play.channel(people.GENERAL) == []


def test_every_button_of_the_welcome_leads_somewhere(play: Play) -> None:
    play.slack.invite_bot(people.GENERAL)
    play.deliver()

    for verb in ("file", "import", "settings"):
        assert play.presses(play.ana, play.channel(people.GENERAL)[0], verb) is not None


def test_past_work_is_looked_at_before_it_is_stored(play: Play) -> None:
    play.types(play.ana, "/hypothesis import")

    play.ana.submit({"paste": TABLE})
    shown = form_text(play.ana.view)

    assert "4 hypotheses will come" in shown
    assert "Bigger photos (refuted, not built): People compare prices first" in shown
    assert "Translate the filters (open)" in shown
    assert "1 there already, left out: “Bigger photos”" in shown
    assert "line 6 has no title" in shown
    assert "“not a day” is no day of the past" in shown
    assert play.dossier(1) is None


def test_past_work_comes_without_posts_and_is_found(play: Play) -> None:
    play.types(play.ana, "/hypothesis import")
    play.ana.submit({"paste": TABLE})

    play.ana.submit({})
    play.deliver()

    assert "4 hypotheses from before are here now" in form_text(play.ana.view)
    assert play.channel() == []
    assert "People compare prices first" in play.asks(play.ana, "/hypothesis search bigger photos")
    assert "Imported: from before Labcoat" in play.asks(play.ana, "/hypothesis show H-1")
    assert "Translate the filters" in play.asks(play.ana, "/hypothesis list open")


def test_past_work_is_stored_once(play: Play) -> None:
    for _ in range(2):
        play.types(play.ana, "/hypothesis import")
        play.ana.submit({"paste": "Bigger photos\nOne click"})
        if play.ana.find_view():
            play.ana.submit({})

    assert play.dossier(2) is not None
    assert play.dossier(3) is None


def test_lines_without_a_header_are_titles(play: Play) -> None:
    play.types(play.ana, "/hypothesis import")

    play.ana.submit({"paste": "• Bigger photos, in the results\n- One click; from anywhere\n\n"})

    assert "2 hypotheses will come" in form_text(play.ana.view)
    assert "Bigger photos, in the results (open)" in form_text(play.ana.view)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_file_from_a_spreadsheet_is_read(play: Play, encoding: str) -> None:
    errors = uploads(play, "Title\tOutcome\nGrößere Fotos\trefuted\n".encode(encoding))

    assert errors == {}
    assert "Größere Fotos (refuted, not built)" in form_text(play.ana.view)

    play.ana.submit({})

    assert play.dossier(1) is not None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "nothing in it yet"),
        (b"\n \n", "nothing in it yet"),
        (b"PK\x03\x04\x00\x00", "no text file"),
        (b"x" * 1_100_000, "larger than 1 MB"),
        (b"title\n" + b"one\n" * 501, "501 lines; the limit is 500"),
    ],
    ids=["empty", "blank", "zip", "large", "long"],
)
def test_what_cannot_be_read_is_said_under_the_field(play: Play, content: bytes, said: str) -> None:
    errors = uploads(play, content)

    assert said in next(iter(errors.values()))
    assert play.dossier(1) is None


def test_imported_work_is_not_learned_from_and_floods_no_digest(play: Play) -> None:
    play.types(play.ana, "/hypothesis import")
    play.ana.submit({"paste": TABLE})
    play.ana.submit({})
    play.files(play.ana)

    preview = play.asks(play.ana, "/experiment digest preview")

    assert "1 hypothesis is waiting" in preview
    assert "Learned from" not in preview


def test_imported_work_that_is_taken_up_is_like_any_other(play: Play) -> None:
    play.types(play.ana, "/hypothesis import")
    play.ana.submit({"paste": "title,owner\nBigger photos,UANA"})
    play.ana.submit({})
    play.ana.close()

    play.types(play.ana, "/hypothesis prototype H-1")
    play.submits(play.ana, summary="A query", cap="2", stop_when="Nobody notices")

    assert "H-1 · Prototype" in read(play.card())
    assert "Imported" not in read(play.card())


def test_an_imported_ending_can_be_reopened(play: Play) -> None:
    play.types(play.ana, "/hypothesis import")
    play.ana.submit({"paste": "title,owner,outcome\nBigger photos,UANA,refuted"})
    play.ana.submit({})
    play.ana.close()

    play.types(play.ana, "/hypothesis reopen H-1")
    play.submits(play.ana, reason="More people see it")

    assert "H-1 · Hypothesize" in read(play.card())
