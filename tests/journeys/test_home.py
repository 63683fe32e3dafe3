"""App Home: what waits, what is mine, how the team does; and it stays true."""

from journeys.playing import DAY, FILE, PROTOTYPE, Play
from slack_sandbox.client import Person
from slack_sandbox.reading import plain_text


def home(person: Person) -> str:
    view = person.home()
    assert view is not None
    return plain_text({"blocks": view["blocks"]})


def opened(person: Person) -> str:
    assert person.open_home().ok
    return home(person)


def presses_home(person: Person, verb: str) -> None:
    view = person.home()
    assert view is not None
    assert person.click_in_view(action_id=verb, view=view).ok


def test_the_first_run_explains_in_three_lines(play: Play) -> None:
    shown = opened(play.ana)

    assert all(f"{number}. " in shown for number in (1, 2, 3))
    assert "Waiting for you" not in shown


def test_filing_from_home_shows_it_there(play: Play) -> None:
    opened(play.ana)

    presses_home(play.ana, "file")
    play.submits(play.ana, change="Show fresh offers first", **FILE)

    assert "Show fresh offers first" in home(play.ana)
    assert "Hypothesize · 1" in home(play.ana).replace("*", "")


def test_a_request_waits_at_the_lead_and_is_gone_when_decided(play: Play) -> None:
    opened(play.lena)
    play.files(play.ana)
    play.tries(play.ana)
    play.asks_lead(play.ana, no_experiment="too little traffic")

    assert "Your decision is asked for" in home(play.lena)

    play.types(play.lena, "/experiment decide H-1")
    play.presses(play.lena, play.private(play.lena), "approve")
    play.submits(play.lena, reason="Go all in")

    assert "Nothing waits for you" in home(play.lena)


def test_what_an_owner_has_to_do_next_waits(play: Play) -> None:
    opened(play.ana)
    play.files(play.ana)
    play.types(play.ana, "/hypothesis prototype H-1")
    play.submits(play.ana, **PROTOTYPE)

    assert "No user has reacted to the prototype" in home(play.ana)

    presses_home(play.ana, "evidence:1")

    assert play.ana.view["callback_id"] == "evidence"


def test_a_passed_end_waits_at_the_owner(play: Play) -> None:
    play.runs(play.ana, planned_days="7")
    play.set_clock(play.now() + 8 * DAY)

    assert "E-1 reached its planned end" in opened(play.ana)


def test_the_team_sees_what_runs_and_what_was_learned(play: Play) -> None:
    play.runs(play.ana)

    shown = opened(play.ben).replace("*", "")

    assert "E-1 Show fresh offers first: no look yet" in shown
    assert "Nothing was closed in the last 90 days" in shown
    assert "1 new hypothesis in the last 14 days, 0 in the 14 before" in shown


def test_a_private_answer_opens_on_top_of_home(play: Play) -> None:
    play.files(play.ana)
    opened(play.ana)

    presses_home(play.ana, "help")

    assert "Labcoat helps you learn" in plain_text({"blocks": play.ana.view["blocks"]}).replace("*", "")


def test_forty_of_mine_come_in_pages(play: Play) -> None:
    for number in range(25):
        play.files(play.ana, f"Change number {number}")
    first = opened(play.ana)

    presses_home(play.ana, "home:older")
    second = home(play.ana)

    assert "Change number 24" in first
    assert "Change number 24" not in second
    assert "Page 2 of 3" in second


def test_nobody_gets_a_home_they_never_opened(play: Play) -> None:
    play.files(play.ana)

    assert play.ana.home() is None
