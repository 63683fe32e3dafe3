"""How people act in the demo, step by checked step: what they type, press and fill in, and what must come of it.

The opening and the tour are told in these words. Everything goes through the sandbox as signed HTTP requests.
"""

from collections.abc import Callable
from datetime import time as time_of_day
from datetime import timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from labcoat.demo import people, reading
from labcoat.demo.reading import Reading
from labcoat.demo.stage import Stage
from labcoat.domain.schedule import at_local, local_date
from slack_sandbox.client import NotPossibleError, Outcome, Person
from slack_sandbox.reading import plain_text

T = TypeVar("T")
WAIT_SECONDS = 15


class StoryError(Exception):  # the story breaks, not the program
    """Raised when a step of the story did not happen as told."""


class Story:
    """The people on a stage. first_hypothesis, first_experiment: the numbers that the first ones here will get."""

    def __init__(self, stage: Stage, *, first_hypothesis: int, first_experiment: int, is_told: bool) -> None:
        self.stage = stage
        self.is_told = is_told
        self._next = {"H": first_hypothesis, "E": first_experiment}
        self.ids: dict[str, str] = {}
        self._reading = Reading([stage.slack.person(one) for one in people.NAMES], names=people.NAMES)

    def person(self, user_id: str) -> Person:
        """Return someone of the team."""
        return self.stage.slack.person(user_id)

    def act(self, title: str) -> None:
        """Begin an act."""
        if self.is_told:
            now = self.stage.now().astimezone(ZoneInfo(people.ZONE))
            print(f"\n\n=== {title}  ({now:%a %d %b %H:%M})")

    def tell(self, line: str) -> None:
        """Say what happens now."""
        if self.is_told:
            print(f"\n> {line}")

    def read(self) -> None:
        """Print what somebody can read now and could not before."""
        if self.is_told:
            self._reading.print_new()

    def files(self, name: str, owner: str, change: str, **values: Any) -> str:
        """File a hypothesis and remember it by a name; return its id."""
        self.types(owner, f"/hypothesis {change}")
        self.fills_in(owner, change=change, **values)
        if self.person(owner).find_view() is not None:
            self.tell("The form asks whether this was tried before")
            self.submits(owner)
        return self.names(name, "H")

    def plans(self, name: str, owner: str, hypothesis: str, **values: Any) -> str:
        """Plan an experiment and remember it by a name; return its id."""
        self.types(owner, f"/experiment plan {hypothesis}")
        self.submits(owner, **values)
        return self.names(name, "E")

    def names(self, name: str, kind: str) -> str:
        """Remember by a name what was made just now, a hypothesis ("H") or an experiment ("E"); return its id."""
        self.ids[name] = f"{kind}-{self._next[kind]}"
        self._next[kind] += 1
        return self.ids[name]

    def types(self, user: str, line: str, *, opens_form: bool = True, channel: str = people.CHANNEL) -> None:
        """Type a command."""
        self.tell(f"{people.NAMES[user]} types: {line}")
        command, _, text = line.partition(" ")
        self._did(self.person(user).command(command, text, channel=channel))
        self._show_form(user, opens_form)

    def presses(self, user: str, message: dict[str, Any], verb: str, *, opens_form: bool = True) -> None:
        """Press a button of a message."""
        self.tell(f"{people.NAMES[user]} presses: {verb}")
        try:
            self._did(self.person(user).click(message, action_id=verb))
        except NotPossibleError as error:
            raise StoryError(str(error)) from error
        self._show_form(user, opens_form)

    def fills_in(self, user: str, **values: Any) -> Outcome:
        """Submit the form that is open, which may be refused."""
        outcome = self.person(user).submit(values)
        self._did(outcome)
        return outcome

    def submits(self, user: str, **values: Any) -> None:
        """Submit the form that is open, which must be taken."""
        outcome = self.fills_in(user, **values)
        self.require(not outcome.errors, f"the form was refused: {outcome.errors}")

    def says(self, user: str, text: str, *, channel: str = people.CHANNEL, below: str | None = None) -> None:
        """Write a message, in the thread of a hypothesis's card if one is named."""
        self.tell(f"{people.NAMES[user]} writes: {text}")
        thread = self.card(below)["ts"] if below else None
        self._did(self.person(user).say(text, channel=channel, thread=thread))

    def moves_to(self, days: int, hour: int, minute: int = 0) -> None:
        """Move time to a local time, so many days after the opening began."""
        day = local_date(self.stage.start, people.ZONE) + timedelta(days=days)
        self.stage.move_to(at_local(day, time_of_day(hour, minute), people.ZONE))

    def card(self, hypothesis: str) -> dict[str, Any]:
        """Return a hypothesis's card, as soon as it is there."""

        def find() -> dict[str, Any] | None:
            messages = self.person(people.ANA).messages(people.CHANNEL)
            return next((one for one in messages if plain_text(one).startswith(f"# {hypothesis} ·")), None)

        return self._wait(find, f"there is no card of {hypothesis}")

    def request_for(self, user: str, hypothesis: str) -> dict[str, Any]:
        """Return the request that a lead got for a hypothesis, as soon as it is there."""

        def find() -> dict[str, Any] | None:
            messages = self.person(user).direct_messages()
            wanted = f"# {hypothesis}: "
            return next((one for one in messages if plain_text(one).startswith(wanted)), None)

        return self._wait(find, f"{people.NAMES[user]} did not get the request for {hypothesis}")

    def newest_private(self, user: str) -> dict[str, Any]:
        """Return the newest message that only this person sees in the channel."""
        return [one for one in self.person(user).messages(people.CHANNEL) if one["is_ephemeral"]][-1]

    def digests(self) -> list[str]:
        """Return the digests so far, oldest first."""
        messages = self.person(people.ANA).messages(people.CHANNEL)
        return [text for one in messages if "What we learned" in (text := plain_text(one))]

    def expect_channel(self, text: str) -> None:
        """Wait until the channel shows a text."""
        self._wait(lambda: self._is_in(people.ANA, text, people.CHANNEL), f"the channel does not show “{text}”")
        self.read()

    def expect_thread(self, hypothesis: str, text: str) -> None:
        """Wait until a card's thread says a text."""
        ts = self.card(hypothesis)["ts"]
        self._wait(
            lambda: self._is_in(people.ANA, text, people.CHANNEL, thread=ts),
            f"the thread of {hypothesis} does not say “{text}”",
        )
        self.read()

    def expect_told(self, user: str, text: str) -> None:
        """Wait until a person was told a text, in private or in direct messages."""

        def is_there() -> bool:
            places = [one["id"] for one in self.person(user).conversations()]
            return any(self._is_in(user, text, place, is_personal=True) for place in places)

        self._wait(is_there, f"{people.NAMES[user]} was not told “{text}”")
        self.read()

    def expect_form(self, user: str, text: str) -> None:
        """Require that a person's form says a text, and print it."""
        said = plain_text(self.person(user).find_view() or {}).replace("*", "")
        self.require(text in said, f"{people.NAMES[user]}'s form does not say “{text}”: {said[:300]}")
        if self.is_told:
            reading.print_text(f"form for {people.NAMES[user]}", said)

    def home(self, user: str) -> str:
        """Return what a person's Home shows."""
        return plain_text(self.person(user).home() or {}).replace("*", "")

    def require(self, condition: bool, otherwise: str) -> None:
        """Break the story unless the condition holds."""
        if not condition:
            raise StoryError(otherwise)

    def _is_in(self, user: str, text: str, place: str, *, thread: str | None = None, is_personal: bool = False) -> bool:
        messages = self.person(user).messages(place, thread=thread)
        return any(
            text in plain_text(one).replace("*", "")
            for one in messages
            if not is_personal or one["is_ephemeral"] or place.startswith("D")
        )

    def _show_form(self, user: str, opens_form: bool) -> None:
        if not opens_form:
            return
        view = self.person(user).find_view()
        self.require(view is not None, "no form opened")
        if self.is_told:
            reading.print_text(f"form for {people.NAMES[user]}", plain_text(view or {}))

    def _did(self, outcome: Outcome) -> None:
        self.require(outcome.ok, f"Slack got no proper answer: {outcome.error}")

    def _wait(self, find: Callable[[], T | None], otherwise: str) -> T:
        try:
            found = self.stage.slack.wait_for(find, timeout_seconds=WAIT_SECONDS)
        except TimeoutError as error:
            raise StoryError(otherwise) from error
        assert found is not None
        return found
