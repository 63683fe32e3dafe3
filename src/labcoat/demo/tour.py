"""The main story after the opening, played through signed HTTP requests only: every step is checked and printed."""

from datetime import timedelta

from labcoat.demo import opening, past
from labcoat.demo.people import ANA, BEN, GIA, LENA, OMAR
from labcoat.demo.stage import Stage, next_monday
from labcoat.demo.story import Story


def play(stage: Stage) -> None:
    """Play the opening and what follows; raise StoryError at the first step that did not really happen."""
    story = new_story(stage, is_told=True)
    opening.play(story)
    story.read()
    _bring_past_work(story)
    _try_what_was_tried(story)
    _predict_and_edit(story)
    _see_an_uneven_split(story)
    for week in (3, 4):
        _read_digest(story, week)
    _be_nudged_and_stop(story)
    _ask_and_be_refused(story)
    _approve_and_ship(story)
    _close_another(story)
    _read_last_digest(story)
    print("\nThat was the whole loop: every step above really happened.")


def new_story(stage: Stage, *, is_told: bool) -> Story:
    """Return a story that goes on where the team's past year ends."""
    return Story(stage, first_hypothesis=past.HYPOTHESES + 1, first_experiment=past.EXPERIMENTS + 1, is_told=is_told)


def _bring_past_work(story: Story) -> None:
    story.act("Ben brings what he remembers from before Labcoat, and looks at it first")
    story.types(BEN, "/hypothesis import")
    past_work = "title,outcome,learning\nSort offers by distance,refuted,People drive far for the right thing"
    story.fills_in(BEN, paste=past_work)
    story.expect_form(BEN, "1 hypothesis will come")
    story.fills_in(BEN)
    story.expect_form(BEN, "from before are here now")
    story.person(BEN).close()
    story.names("distance", "H")


def _try_what_was_tried(story: Story) -> None:
    story.act("Omar searches, with a typing mistake, before he files")
    story.types(OMAR, "/hypothesis search distence", opens_form=False)
    story.expect_told(OMAR, "People drive far for the right thing")
    story.types(OMAR, "/hypothesis Sort the offers by their distance, on phones only")
    story.expect_form(OMAR, "Have we tried this?")
    story.submits(
        OMAR,
        metric="contacts per user",
        because="On phones 6 of 10 people looked at the map first",
        different_because="people on phones are on their way",
    )
    near = story.names("near", "H")
    story.expect_channel("Different, because people on phones are on their way")
    story.act("Omar's Home shows it, and a guest is told kindly that she can only read along")
    story.require(story.person(OMAR).open_home().ok, "Home did not open")
    story.require("Sort the offers by their distance" in story.home(OMAR), f"Home does not show {near}")
    story.types(GIA, "/hypothesis Free beer", opens_form=False)
    story.expect_told(GIA, "Guests can read along here")


def _predict_and_edit(story: Story) -> None:
    near = story.ids["near"]
    story.act("Omar edits the words, and plans; the form says what the plan takes")
    story.types(OMAR, f"/hypothesis edit {near}")
    story.submits(OMAR, tags="phones, map")
    story.expect_thread(near, "the tags: nothing → phones, map")
    experiment = story.plans(
        "near test",
        OMAR,
        near,
        goal="contacts per user",
        baseline="24 %",
        minimum_effect="5 %",
        units_per_day="1,500",
        planned_days="14",
        design="one look at the end",
        evidence_reason="A switch in the app",
    )
    story.expect_channel("It needs about")
    story.act("Ben predicts; nobody sees it before the start")
    story.types(BEN, f"/experiment predict {experiment}")
    story.submits(BEN, chance="70")
    story.expect_channel("1, shown at the start")
    story.act("Omar thinks better of it: he cancels the draft, and goes on from the hypothesis with another")
    story.types(OMAR, f"/experiment cancel {experiment}")
    story.submits(OMAR, reason="It would take too long")
    story.types(OMAR, f"/hypothesis pivot {near}")
    story.submits(
        OMAR,
        outcome="abandoned",
        learning="Nothing, because two weeks cannot show it",
        days_spent="0.5",
        change="Show the distance on every offer, on phones",
        metric="contacts per user",
        because="On phones 6 of 10 people looked at the map first",
    )
    story.expect_channel(f"Goes on from {near}")
    story.names("distance shown", "H")


def _see_an_uneven_split(story: Story) -> None:
    story.require("Not valid" in story.digests()[0], "the first digest does not name the uneven split")
    story.act("Ben asks for the result of the experiment that is not valid")
    _asks_result(story, BEN, story.ids["photos test"], "SRM")


def _read_digest(story: Story, week: int) -> None:
    monday = next_monday(story.stage.now())
    story.act(f"Monday {monday:%d %B}, 09:31: digest number {week}")
    story.stage.move_to(monday)
    digests = story.digests()
    story.require(len(digests) == week, f"there are {len(digests)} digests instead of {week}")
    story.read()


def _be_nudged_and_stop(story: Story) -> None:
    story.act("The planned end passes. Nothing stops by itself; Ana gets a nudge")
    story.stage.move_to(story.stage.now() + timedelta(days=3))
    story.expect_told(ANA, "planned end")
    story.act("Ana reads the result and stops it")
    fresh, experiment = story.ids["fresh"], story.ids["fresh test"]
    _asks_result(story, ANA, fresh, "Win")
    story.presses(ANA, story.card(fresh), "stop")
    story.submits(ANA)
    story.expect_channel(f"{experiment} stopped")
    story.stage.move_to(story.stage.now() + timedelta(hours=1))
    story.read()


def _ask_and_be_refused(story: Story) -> None:
    fresh = story.ids["fresh"]
    story.act("Ana asks Lena to release the investment")
    story.presses(ANA, story.card(fresh), "ask")
    story.submits(
        ANA,
        conclusion="supported",
        learning="Fresh offers first raise orders; refunds stay as they were",
        amount="25",
        lead=LENA,
    )
    story.request_for(LENA, fresh)
    story.read()
    story.act("Ana would approve it herself, but may only take it back or ask someone else")
    story.types(ANA, f"/experiment decide {fresh}", opens_form=False)
    story.expect_told(ANA, "every lead who has no part in it may answer")


def _approve_and_ship(story: Story) -> None:
    fresh = story.ids["fresh"]
    story.act("Omar, the other lead, looks at the request too")
    story.types(OMAR, f"/experiment decide {fresh}", opens_form=False)
    omars = story.newest_private(OMAR)
    story.read()
    story.act("Lena approves")
    story.presses(LENA, story.request_for(LENA, fresh), "approve")
    story.submits(LENA, reason="Go all in")
    story.expect_channel(f"{fresh} · Productionize")
    story.act("Omar presses a button that is too late")
    story.presses(OMAR, omars, "decline", opens_form=False)
    story.expect_told(OMAR, "already approved")
    story.act("Ana ships it")
    story.presses(ANA, story.card(fresh), "ship")
    story.submits(
        ANA,
        link="https://example.org/releases/fresh-first",
        tenfold=["it works with ten times the traffic", "it can be switched off in minutes"],
        days_spent="24",
    )
    story.expect_channel(f"{fresh} · Closed: supported, shipped")


def _close_another(story: Story) -> None:
    hypothesis, experiment = story.ids["one click"], story.ids["one click test"]
    story.act("Omar's experiment harms the refund rate. He stops it and closes the hypothesis")
    _asks_result(story, OMAR, hypothesis, "Harm on a guardrail")
    story.presses(OMAR, story.card(hypothesis), "stop")
    story.submits(OMAR, reason="More refunds")
    story.expect_channel(f"{experiment} stopped")
    story.stage.move_to(story.stage.now() + timedelta(hours=1))
    story.presses(OMAR, story.card(hypothesis), "close")
    story.submits(
        OMAR,
        outcome="refuted",
        learning="One click sells more than people want; they send it back",
        days_spent="4",
    )
    story.expect_channel(f"{hypothesis} · Closed: refuted, not built")


def _read_last_digest(story: Story) -> None:
    monday = next_monday(story.stage.now())
    story.act(f"Monday {monday:%d %B}, 09:31: what was learned")
    story.stage.move_to(monday)
    newest = story.digests()[-1]
    story.read()
    story.require("Learned from 2 of 2 closed: 2 by experiment" in newest, "the digest does not say what was learned")


def _asks_result(story: Story, user: str, subject: str, expected: str) -> None:
    story.types(user, f"/experiment result {subject}", opens_form=False)
    story.expect_told(user, expected)
