"""What people type: help, lists, ids in any spelling, near misses."""

import pytest

from journeys.playing import CLOSE, DAY, H1, START, TEAM, Play, read
from labcoat.db import history
from labcoat.demo import people
from labcoat.domain.lifecycle import Step
from slack_sandbox.wire import Json


def test_help_shows_six_words_and_all_the_rest(play: Play) -> None:
    short = play.asks(play.ana, "/hypothesis help")
    everything = play.asks(play.ana, "/experiment help all")

    assert "[Everything else]" in short
    assert "record E-7" not in short
    assert "/experiment record E-7 [metric] control=1200/24000" in everything


def test_lists_show_what_is_asked_for(play: Play) -> None:
    play.files(play.ana, "Fresh offers first")
    play.files(play.ben, "Bigger photos")
    play.tries(play.ben, "H-2")
    play.files(play.ana, "Shorter titles")
    play.types(play.ana, "/hypothesis close H-3")
    play.submits(play.ana, **CLOSE)

    def listed(words: str) -> list[str]:
        answer = play.asks(play.ana, f"/hypothesis list {words}")
        return [number for number in ("H-1", "H-2", "H-3") if f"• {number}" in answer]

    assert listed("") == ["H-1", "H-2"]
    assert listed("mine") == ["H-1"]
    assert listed("closed") == ["H-3"]
    assert listed("stage Prototype") == ["H-2"]
    assert listed("stage productionize") == []


def test_show_answers_with_the_card_only_for_the_person(play: Play) -> None:
    play.files(play.ana)

    shown = play.asks(play.ben, "/hypothesis show H-1")

    assert shown == read(play.card())
    assert len(play.channel()) == 1


@pytest.mark.parametrize("spelling", ["H-1", "h1", "h-1", "H1", "h–1"])
def test_ids_are_read_in_any_spelling(play: Play, spelling: str) -> None:
    play.files(play.ana)

    assert "# H-1 · Hypothesize" in play.asks(play.ana, f"/hypothesis show {spelling}")


def test_id_alone_shows_it(play: Play) -> None:
    play.runs(play.ana)

    assert "# H-1 · Experiment" in play.asks(play.ana, "/hypothesis e-1")
    assert "# E-1 · " in play.asks(play.ana, "/experiment h1")


def test_hypothesis_stands_for_its_newest_experiment(play: Play) -> None:
    play.runs(play.ana)
    play.set_clock(START + DAY)
    play.stops(play.ana)
    play.types(play.ana, "/experiment again H-1")

    form = play.types(play.ana, "/experiment start H-1")

    assert form is not None
    assert "E-2" in read(form)


def test_verbs_work_after_either_command(play: Play) -> None:
    play.files(play.ana)

    form = play.types(play.ana, "/experiment prototype H-1")

    assert form is not None
    assert "# Begin a prototype" in read(form)


def test_bare_number_with_two_readings_asks_with_two_buttons(play: Play) -> None:
    play.files(play.ana, "Bigger photos")
    play.runs(play.ana, number=2)

    question = play.asks(play.ana, "/experiment result 1")
    play.presses(play.ana, play.private(play.ana), _button(play.private(play.ana), "E-1"))

    assert "Do you mean H-1 or E-1?" in question
    assert "# E-1 · Show fresh offers first" in read(play.private(play.ana))


def test_bare_number_with_one_reading_is_read_so(play: Play) -> None:
    play.files(play.ana)

    assert "# H-1 · Hypothesize" in play.asks(play.ana, "/hypothesis show 1")


def test_near_miss_before_an_id_is_asked_about(play: Play) -> None:
    play.files(play.ana)

    question = play.asks(play.ana, "/hypothesis shwo h1")
    play.presses(play.ana, play.private(play.ana), "show:choice")

    assert "Did you mean /hypothesis show H-1?" in question
    assert "# H-1 · Hypothesize" in read(play.private(play.ana))


def test_menu_shows_what_is_mine_with_buttons(play: Play) -> None:
    empty = play.asks(play.ana, "/experiment")
    play.files(play.ana)
    play.files(play.ben, "Bigger photos")

    mine = play.asks(play.ana, "/experiment")
    play.presses(play.ana, play.private(play.ana), "show:1")

    assert "Nothing of yours is open" in empty
    assert "H-1" in mine
    assert "H-2" not in mine
    assert "# H-1 ·" in read(play.private(play.ana))


def test_free_text_is_never_filed_by_itself(play: Play) -> None:
    form = play.types(play.ana, "/hypothesis show more offers on the first page")

    assert form is not None
    assert "show more offers on the first page" in read(form)
    assert play.channel() == []
    assert play.dossier() is None


def test_text_stands_in_the_form_as_it_was_typed(play: Play) -> None:
    form = play.types(play.ana, "/hypothesis Offers < 5 € & more > fewer")

    assert form is not None
    assert _initial(form, "change") == "Offers < 5 € & more > fewer"


def test_command_in_a_direct_message_files_in_the_home_channel(play: Play) -> None:
    direct = next(one["id"] for one in play.ana.conversations() if one["is_im"])
    play.types(play.ana, "/hypothesis Bigger photos", channel=direct)

    play.submits(play.ana, metric="orders per user", because="People said so")

    assert "H-1 · Hypothesize" in read(play.card())


def test_earlier_metric_names_are_proposed(play: Play) -> None:
    play.files(play.ana, metric="clicks per search")

    form = play.types(play.ben, "/hypothesis Bigger photos")

    assert form is not None
    assert "Known here: clicks per search" in read(form)


def _button(message: Json, label: str) -> str:
    elements = [one for block in message["blocks"] if block["type"] == "actions" for one in block["elements"]]
    return next(str(one["action_id"]) for one in elements if one["text"]["text"] == label)


def _initial(form: Json, block_id: str) -> str:
    block = next(block for block in form["blocks"] if block["block_id"] == block_id)
    return str(block["element"]["initial_value"])


def test_a_note_is_kept_in_the_thread_and_in_the_history(play: Play) -> None:
    play.runs(play.ana)

    said = play.asks(play.ben, "/experiment note E-1 Users ask for a *filter* & <!channel>")

    assert said.startswith("Noted in the thread of H-1, and in its history.")
    assert "noted: Users ask for a filter & <!channel>" in play.thread()[-1]
    dossier = play.dossier()
    assert dossier is not None
    with play.bot.database.reading() as tx:
        entry = history.list_of(tx, TEAM, H1)[-1]
    assert (entry.step, entry.by, entry.changes) == (Step.NOTE, people.BEN, ())
    assert entry.reason == "Users ask for a *filter* & <!channel>"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("note E-1", "Write what you saw after the id: /experiment note E-1 users ask for a filter."),
        ("note", "Which one? Give its id: /experiment note"),
        ("note E-9 seen", "no E-9"),
        (f"note E-1 {'x' * 1001}", "1,001 characters"),
    ],
)
def test_a_note_that_is_none_is_answered(play: Play, text: str, said: str) -> None:
    play.runs(play.ana)
    before = play.thread()

    assert said in play.asks(play.ben, f"/experiment {text}")
    assert play.thread() == before


def test_a_closed_hypothesis_takes_no_notes(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, **CLOSE)

    assert "H-1 is closed" in play.asks(play.ben, "/experiment note H-1 We saw it again")
