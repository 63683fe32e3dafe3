"""The main story, played through signed HTTP requests only: every step is checked, every message printed as read."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from labcoat.demo import people, reading
from labcoat.demo.reading import Reading
from labcoat.demo.stage import Stage, next_monday
from labcoat.sandbox.client import NotPossible, Outcome, Person
from labcoat.sandbox.reading import plain_text

WAIT_SECONDS = 15


class TourFailed(Exception):  # noqa: N818  the tour fails, not the program
    """Raised when a step of the story did not happen as told."""


def play(stage: Stage) -> None:
    """Play the story; raise TourFailed at the first step that did not really happen."""
    tour = Tour(stage)
    tour.file_and_prototype()
    tour.plan_and_start()
    tour.run_others_beside_it()
    for week in range(1, 5):
        tour.read_digest(week)
    tour.be_nudged_and_stop()
    tour.ask_and_be_refused()
    tour.approve_and_ship()
    tour.close_another()
    tour.read_last_digest()
    print("\nThat was the whole loop: every step above really happened.")


class Tour:
    """The people, and the acts of the story."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ana, self._ben = stage.slack.person(people.ANA), stage.slack.person(people.BEN)
        self._lena, self._omar = stage.slack.person(people.LENA), stage.slack.person(people.OMAR)
        self._names = {people.ANA: "Ana", people.BEN: "Ben", people.LENA: "Lena", people.OMAR: "Omar"}
        self._reading = Reading([stage.slack.person(one) for one in self._names], names=self._names)

    def file_and_prototype(self) -> None:
        """Ana files a hypothesis and begins a prototype; Ben adds what five users did."""
        self._act("Ana files a hypothesis")
        self._type(self._ana, "/hypothesis", "Show fresh offers first to people who come back within a day")
        self._submit(
            self._ana,
            metric="orders per user",
            because="4 of 5 people we watched scrolled past offers they had seen the day before",
            smallest_effect="10 %",
            tags="search, freshness",
        )
        self._expect_channel("H-1 · Hypothesize")

        self._act("Ana begins the cheapest prototype: a SQL query")
        self._click(self._ana, self._card("H-1"), "prototype")
        self._submit(
            self._ana,
            summary="A SQL query re-ranks 50 result pages by age; five users compare them with today's.",
            cap="2",
            stop_when="Fewer than 3 of 5 prefer the new order",
            build_guess="30",
        )
        self._expect_channel("H-1 · Prototype")

        self._act("Ben adds evidence from users")
        self._click(self._ben, self._card("H-1"), "evidence")
        self._submit(
            self._ben,
            kind="usability test",
            count="5",
            summary="4 of 5 preferred the fresh order and found an offer faster",
            spent="1",
        )
        self._expect_thread("H-1", "4 of 5 preferred the fresh order")

    def plan_and_start(self) -> None:
        """Ana plans a group sequential experiment, mistyping once, and starts it."""
        self._act("Ana plans an experiment; a smallest effect of “lots” is not one")
        self._click(self._ana, self._card("H-1"), "plan")
        plan = {
            "goal": "orders per user",
            "baseline": "10 %",
            "variants": "control 50, treatment 50",
            "planned_days": "28",
            "design": "group sequential",
            "guardrails": "refund rate down, margin 0.5 points",
        }
        refused = self._ana.submit({**plan, "minimum_effect": "lots"})
        self._require("minimum_effect" in (refused.errors or {}), "“lots” was taken as an effect")
        self._say("Under the field: " + str((refused.errors or {})["minimum_effect"]))
        self._submit(self._ana, **plan, minimum_effect="10 %")
        self._expect_channel("E-1 draft")
        self._act("Ana starts it; Labcoat does not switch traffic")
        self._click(self._ana, self._card("H-1"), "start")
        self._submit(self._ana)
        self._expect_channel("E-1 running")

    def run_others_beside_it(self) -> None:
        """Ben starts an experiment whose traffic is split wrongly, Omar one that harms a guardrail."""
        self._act("Ben and Omar run experiments of their own")
        self._run_experiment(self._ben, "H-2", "Show bigger photos in the results")
        self._run_experiment(self._omar, "H-3", "Buy with one click from the results")
        self._act("Ana files one more, to be tried as a prototype only")
        self._type(self._ana, "/hypothesis", "Shorten the titles of offers for people on phones")
        self._submit(self._ana, metric="clicks per search", because="Titles are cut in the middle of a word")
        self._expect_channel("H-4 · Hypothesize")

    def read_digest(self, week: int) -> None:
        """Move time to the next Monday and read what the channel reads."""
        monday = next_monday(self._stage.now())
        self._act(f"Monday {monday:%d %B}, 09:31: digest number {week}")
        self._stage.move_to(monday)
        digests = [message for message in self._ana.messages() if "What we learned" in plain_text(message)]
        self._require(len(digests) == week, f"there are {len(digests)} digests instead of {week}")
        self._reading.print_new()
        if week == 1:
            said = plain_text(digests[-1])
            self._require("Not valid" in said, "the digest does not name the uneven split of E-2")
            self._act("Ben asks for the result of the experiment that is not valid")
            self._ask_result(self._ben, "E-2", "SRM")

    def be_nudged_and_stop(self) -> None:
        """The planned end passes: nothing stops by itself, Ana is nudged, and stops it."""
        self._act("The planned end passes. Nothing stops by itself; Ana gets a nudge")
        self._stage.move_to(self._stage.now() + timedelta(days=3))
        self._reading.print_new()
        nudges = [plain_text(message) for message in self._ana.direct_messages()]
        self._require(any("planned end" in text for text in nudges), "Ana was not nudged")
        self._act("Ana reads the result and stops it")
        self._ask_result(self._ana, "H-1", "Win")
        self._click(self._ana, self._card("H-1"), "stop")
        self._submit(self._ana)
        self._expect_channel("E-1 stopped")
        self._stage.move_to(self._stage.now() + timedelta(hours=1))
        self._reading.print_new()

    def ask_and_be_refused(self) -> None:
        """Ana asks Lena, and cannot approve it herself."""
        self._act("Ana asks Lena to release the investment")
        self._click(self._ana, self._card("H-1"), "ask")
        self._submit(
            self._ana,
            conclusion="supported",
            learning="Fresh offers first raise orders; refunds stay as they were",
            amount="25",
            lead=people.LENA,
        )
        self._wait(lambda: self._request_for(self._lena), "Lena did not get the request")
        self._reading.print_new()
        self._act("Ana tries to approve it herself")
        self._type(self._ana, "/experiment", "decide H-1", opens_form=False)
        shown = self._newest_private(self._ana)
        self._click(self._ana, shown, "approve", opens_form=False)
        self._expect_private(self._ana, "needs a lead who never owned H-1")

    def approve_and_ship(self) -> None:
        """Omar looks at the request too; Lena approves with a button, Omar is told so; Ana ships."""
        self._act("Omar, the other lead, looks at the request too")
        self._type(self._omar, "/experiment", "decide H-1", opens_form=False)
        omars = self._newest_private(self._omar)
        self._reading.print_new()
        self._act("Lena approves")
        request = self._request_for(self._lena)
        assert request is not None
        self._click(self._lena, request, "approve")
        self._submit(self._lena, reason="Go all in")
        self._expect_channel("H-1 · Productionize")
        self._act("Omar presses a button that is too late")
        self._click(self._omar, omars, "decline", opens_form=False)
        self._expect_private(self._omar, "already approved")
        self._act("Ana ships it")
        self._click(self._ana, self._card("H-1"), "ship")
        self._submit(
            self._ana,
            link="https://example.org/releases/fresh-first",
            tenfold=["it works with ten times the traffic", "it can be switched off in minutes"],
            days_spent="24",
        )
        self._expect_channel("H-1 · Closed: supported, shipped")

    def close_another(self) -> None:
        """Omar's experiment did harm: he stops and closes it with what was learned."""
        self._act("Omar's experiment harms the refund rate. He stops it and closes the hypothesis")
        self._ask_result(self._omar, "H-3", "Harm on a guardrail")
        self._click(self._omar, self._card("H-3"), "stop")
        self._submit(self._omar, reason="More refunds")
        self._expect_channel("E-3 stopped")
        self._stage.move_to(self._stage.now() + timedelta(hours=1))
        self._click(self._omar, self._card("H-3"), "close")
        self._submit(
            self._omar,
            outcome="refuted",
            learning="One click sells more than people want; they send it back",
            days_spent="4",
        )
        self._expect_channel("H-3 · Closed: refuted, not built")

    def read_last_digest(self) -> None:
        """The next Monday tells what was learned."""
        monday = next_monday(self._stage.now())
        self._act(f"Monday {monday:%d %B}, 09:31: what was learned")
        self._stage.move_to(monday)
        newest = [text for message in self._ana.messages() if "What we learned" in (text := plain_text(message))][-1]
        self._reading.print_new()
        self._require(
            "Learned from 2 of 2 closed: 2 by experiment" in newest, "the digest does not say what was learned"
        )

    def _run_experiment(self, owner: Person, hypothesis: str, change: str) -> None:
        self._type(owner, "/hypothesis", change)
        self._submit(owner, metric="orders per user", because="People told us so in interviews")
        self._expect_channel(f"{hypothesis} · Hypothesize")
        self._click(owner, self._card(hypothesis), "plan")
        self._submit(
            owner,
            goal="orders per user",
            baseline="10 %",
            minimum_effect="10 %",
            planned_days="42",
            design="group sequential",
            guardrails="refund rate down",
            evidence_reason="Built by the vendor already; only the switch is missing",
        )
        self._expect_channel(f"{hypothesis.replace('H', 'E')} draft")
        self._click(owner, self._card(hypothesis), "start")
        self._submit(owner)
        self._expect_channel(f"{hypothesis.replace('H', 'E')} running")

    def _type(self, person: Person, command: str, text: str, *, opens_form: bool = True) -> None:
        self._say(f"{self._names[person.id]} types: {command} {text}")
        self._did(person.command(command, text, channel=people.CHANNEL))
        self._show_form(person, opens_form)

    def _click(self, person: Person, message: dict[str, Any], verb: str, *, opens_form: bool = True) -> None:
        self._say(f"{self._names[person.id]} presses: {verb}")
        try:
            self._did(person.click(message, action_id=verb))
        except NotPossible as error:
            raise TourFailed(str(error)) from error
        self._show_form(person, opens_form)

    def _show_form(self, person: Person, opens_form: bool) -> None:
        view = person.find_view()
        if opens_form:
            self._require(view is not None, "no form opened")
            reading.print_text(f"form for {self._names[person.id]}", plain_text(view or {}))

    def _submit(self, person: Person, **values: Any) -> None:
        outcome = person.submit(values)
        self._did(outcome)
        self._require(not outcome.errors, f"the form was refused: {outcome.errors}")

    def _ask_result(self, person: Person, subject: str, expected: str) -> None:
        self._type(person, "/experiment", f"result {subject}", opens_form=False)
        self._expect_private(person, expected)

    def _did(self, outcome: Outcome) -> None:
        self._require(outcome.ok, f"Slack got no proper answer: {outcome.error}")

    def _card(self, hypothesis: str) -> dict[str, Any]:
        for message in self._ana.messages(people.CHANNEL):
            if plain_text(message).startswith(f"# {hypothesis} ·"):
                return message
        msg = f"there is no card of {hypothesis}"
        raise TourFailed(msg)

    def _request_for(self, person: Person) -> dict[str, Any] | None:
        try:
            messages = person.direct_messages()
        except NotPossible:
            return None
        return next((one for one in messages if "to productionize?" in plain_text(one)), None)

    def _newest_private(self, person: Person) -> dict[str, Any]:
        return [message for message in person.messages(people.CHANNEL) if message["is_ephemeral"]][-1]

    def _expect_channel(self, text: str) -> None:
        def is_there() -> bool:
            return any(text in _read(message) for message in self._ana.messages(people.CHANNEL))

        self._wait(is_there, f"the channel does not show “{text}”")
        self._reading.print_new()

    def _expect_thread(self, hypothesis: str, text: str) -> None:
        def is_there() -> bool:
            thread = self._ana.messages(people.CHANNEL, thread=self._card(hypothesis)["ts"])
            return any(text in _read(message) for message in thread)

        self._wait(is_there, f"the thread of {hypothesis} does not say “{text}”")
        self._reading.print_new()

    def _expect_private(self, person: Person, text: str) -> None:
        def is_there() -> bool:
            places = [people.CHANNEL] + [one["id"] for one in person.conversations() if one["id"].startswith("D")]
            messages = [message for place in places for message in person.messages(place) if message["is_ephemeral"]]
            return any(text in _read(message) for message in messages)

        self._wait(is_there, f"{self._names[person.id]} was not told “{text}”")
        self._reading.print_new()

    def _wait(self, condition: Callable[[], object], otherwise: str) -> None:
        try:
            self._stage.slack.wait_for(condition, timeout_seconds=WAIT_SECONDS)
        except TimeoutError as error:
            raise TourFailed(otherwise) from error

    @staticmethod
    def _require(condition: bool, otherwise: str) -> None:
        if not condition:
            raise TourFailed(otherwise)

    def _act(self, title: str) -> None:
        now = self._stage.now().astimezone(ZoneInfo(people.ZONE))
        print(f"\n\n=== {title}  ({now:%a %d %b %H:%M})")

    @staticmethod
    def _say(line: str) -> None:
        print(f"\n> {line}")


def _read(message: dict[str, Any]) -> str:
    return plain_text(message).replace("*", "")
