"""Filing: what was tried before, what could be said better, shortcuts; nothing is refused for its style."""

from dataclasses import replace

from journeys.playing import CLOSE, DAY, FILE, TEAM, Play, read
from labcoat.db import channels
from labcoat.demo import people
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId
from slack_sandbox.reading import plain_text
from slack_sandbox.wire import Json

CHANGE = "Show fresh offers first to people who come back"


def form_text(view: Json | None) -> str:
    return plain_text({"blocks": (view or {})["blocks"]})


def files_and_closes(play: Play) -> None:
    play.files(play.ben, CHANGE)
    play.types(play.ben, "/hypothesis close H-1")
    play.submits(play.ben, **CLOSE)


def test_a_good_hypothesis_is_filed_at_once(play: Play) -> None:
    play.types(play.ana, f"/hypothesis {CHANGE}")

    play.submits(play.ana, **FILE)

    assert "# H-1 · Hypothesize" in read(play.card())


def test_what_was_tried_before_is_shown_with_outcome_and_learning(play: Play) -> None:
    files_and_closes(play)

    view = play.types(play.ana, "/hypothesis Fresh offers first, for people who come back")

    assert "Have we tried this?" in form_text(view)
    assert "Refuted, not built. Age matters less than price" in form_text(view)


def test_different_because_is_shown_on_the_card(play: Play) -> None:
    files_and_closes(play)
    play.types(play.ana, "/hypothesis Fresh offers first, for people who come back")

    play.submits(play.ana, **FILE, different_because="Now only on phones")

    assert "Different, because now only on phones" in read(play.card("H-2"))


def test_what_is_typed_into_an_empty_form_is_looked_up_before_it_is_filed(play: Play) -> None:
    files_and_closes(play)
    play.types(play.ana, "/hypothesis")

    play.ana.submit({"change": CHANGE, **FILE})
    shown = play.ana.view

    assert "Have we tried this?" in form_text(shown)
    assert shown["state"]["values"]["change"]["answer"]["value"] == CHANGE
    assert play.dossier(2) is None

    play.submits(play.ana)

    assert "# H-2 · Hypothesize" in read(play.card("H-2"))


def test_style_is_warned_about_with_an_example_and_then_taken(play: Play) -> None:
    play.types(play.ana, "/hypothesis As a user I want to see fresh offers first")

    play.ana.submit({"metric": "happiness", "because": "why not"})
    shown = form_text(play.ana.view)

    assert "See fresh offers first, for every user" in shown
    assert "What have you seen that makes you believe it?" in shown
    assert "“happiness” is hard to count" in shown

    play.submits(play.ana)

    assert "# H-1 · Hypothesize" in read(play.card())


def test_who_follows_hears_what_becomes_of_it_and_can_stop(play: Play) -> None:
    play.files(play.ben, CHANGE)
    play.types(play.ana, f"/hypothesis {CHANGE} soon")
    assert play.ana.click_in_view(action_id="follow:1").ok
    assert "You follow H-1 now" in form_text(play.ana.view)

    play.plans(play.ben, evidence_reason="Built already")
    play.starts(play.ben, "H-1")

    told = play.direct(play.ana)[-1]
    assert "You follow H-1 Show fresh offers first" in read(told)
    assert "started E-1" in read(told)

    play.presses(play.ana, told, "unfollow")
    play.move_to(play.now() + DAY)
    play.stops(play.ben)

    assert [one for one in play.direct(play.ana) if "stopped E-1" in read(one)] == []


def test_a_message_becomes_a_hypothesis_that_links_to_it(play: Play) -> None:
    said = play.ben.say("Maybe we show fresh offers first & see", channel=people.CHANNEL)
    message = next(one for one in play.ana.messages(people.CHANNEL) if one["ts"] == said.ts)

    play.ana.shortcut("turn_into_hypothesis", message=message)
    change = play.ana.view["state"]["values"]["change"]["answer"]["value"]
    play.submits(play.ana, **FILE)

    assert change == "Maybe we show fresh offers first & see"
    assert "It began with what" in play.thread()[0]
    assert people.BEN in play.thread()[0] or "Ben" in play.thread()[0]


def test_the_global_shortcut_files_into_the_home_channel_or_another(play: Play) -> None:
    play.ana.shortcut("new_hypothesis")
    chosen = play.ana.view["state"]["values"]["channel"]["answer"]["selected_conversation"]
    play.submits(play.ana, change=CHANGE, **FILE)

    assert chosen == people.CHANNEL
    assert len(play.channel()) == 1


def test_a_channel_may_have_its_home_elsewhere(play: Play) -> None:
    home = ChannelSettings(home=ChannelId(people.CHANNEL), tags=("search",))
    with play.bot.database.writing() as tx:
        channels.save(tx, TEAM, ChannelId(people.GENERAL), home, version=0)
        channels.save(tx, TEAM, ChannelId(people.CHANNEL), replace(home, home=None), version=0)

    view = play.types(play.ana, f"/hypothesis {CHANGE}", channel=people.GENERAL)
    play.submits(play.ana, **FILE)

    assert "Used here: search." in str(view)
    assert len(play.channel()) == 1


def test_a_search_finds_open_and_closed_ones_and_offers_to_file(play: Play) -> None:
    files_and_closes(play)

    found = play.asks(play.ana, "/hypothesis search frehs offers")
    play.presses(play.ana, play.private(play.ana), "file")

    assert "H-1 Show fresh offers first" in found
    assert "Age matters less than price" in found
    assert play.ana.view["state"]["values"]["change"]["answer"]["value"] == "frehs offers"


def test_a_search_without_hits_says_so(play: Play) -> None:
    assert "Nothing here is about “drivers” yet" in play.asks(play.ana, "/experiment search drivers")


def test_a_bare_search_asks_for_the_words_and_answers_in_place(play: Play) -> None:
    files_and_closes(play)
    play.types(play.ana, "/hypothesis search")

    play.ana.submit({"words": "fresh"})

    assert "H-1 Show fresh offers first" in form_text(play.ana.view).replace("*", "")


def test_a_list_by_tag(play: Play) -> None:
    play.files(play.ana, CHANGE, tags="Search, Größe")
    play.files(play.ana, "Buy with one click", tags="checkout")

    listed = play.asks(play.ana, "/hypothesis list tag größe")

    assert "H-1" in listed
    assert "H-2" not in listed
    assert "Tagged nothing: none" in play.asks(play.ana, "/hypothesis list tag nothing")


def test_a_long_list_comes_in_pages(play: Play) -> None:
    for number in range(23):
        play.files(play.ana, f"Change number {number}")

    first = play.asks(play.ana, "/hypothesis list mine")
    play.presses(play.ana, play.private(play.ana), "list:next")
    second = read(play.private(play.ana))

    assert "Change number 22" in first
    assert "Change number 2 " not in first
    assert "Change number 2 " in second
    assert "Change number 22" not in second
