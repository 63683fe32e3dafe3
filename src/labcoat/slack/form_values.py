"""What a person answered in a form, read from Slack's view state."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any, TypeVar

from labcoat.domain.ids import ChannelId, UserId
from labcoat.domain.refusal import Reason, Refusal

WordT = TypeVar("WordT", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenFile:
    """A file that was given in a form. size: bytes, as Slack says; 0 if it does not. url: where Slack keeps it."""

    name: str
    size: int
    url: str


class Answers:
    """The answers of a form by block id; a block that is not there counts as left empty."""

    def __init__(self, view: Mapping[str, Any]) -> None:
        self._values: Mapping[str, Any] = view.get("state", {}).get("values", {})
        self._inputs = {block["block_id"]: block for block in view.get("blocks", []) if block["type"] == "input"}
        self.input_blocks = list(self._inputs)

    def with_texts(self, texts: Mapping[str, str], *, choices: Collection[str] = ()) -> "Answers":
        """Return the answers with these in place of theirs, as if they had been typed; choices: those of an option."""
        typed = {
            name: {"": {"selected_option": {"value": text} if text else None} if name in choices else {"value": text}}
            for name, text in texts.items()
        }
        values = {"values": {**self._values, **typed}}
        return Answers({"state": values, "blocks": list(self._inputs.values())})

    def _answer(self, block_id: str) -> Mapping[str, Any]:
        answers = self._values.get(block_id, {})
        return next(iter(answers.values()), {})

    def text(self, block_id: str) -> str:
        """Return the text of a field, "" if it was left empty."""
        return str(self._answer(block_id).get("value") or "").strip()

    def word(self, block_id: str, words: type[WordT]) -> WordT | None:
        """Return the choice of a drop-down or of radio buttons, None without one."""
        chosen = self.choice(block_id)
        return None if chosen is None else words(chosen)

    def required_word(self, block_id: str, words: type[WordT]) -> WordT:
        """Return the choice; raise Refusal without one."""
        chosen = self.word(block_id, words)
        if chosen is None:
            raise Refusal(Reason.MISSING, block_id)
        return chosen

    def choice(self, block_id: str) -> str | None:
        """Return the value of the chosen option, None without one."""
        option = self._answer(block_id).get("selected_option")
        return None if option is None else str(option["value"])

    def offered(self, block_id: str) -> tuple[str, ...]:
        """Return the values of all options that a drop-down showed, none without one."""
        element = self._inputs.get(block_id, {}).get("element", {})
        return tuple(str(option["value"]) for option in element.get("options", ()))

    def choices(self, block_id: str) -> frozenset[str]:
        """Return the values of the checked options."""
        return frozenset(str(option["value"]) for option in self._answer(block_id).get("selected_options") or ())

    def person(self, block_id: str) -> UserId | None:
        """Return the chosen person, None without one."""
        chosen = self._answer(block_id).get("selected_user")
        return None if chosen is None else UserId(chosen)

    def people(self, block_id: str) -> tuple[UserId, ...]:
        """Return the chosen people, in the order they were chosen."""
        return tuple(UserId(user) for user in self._answer(block_id).get("selected_users") or ())

    def file(self, block_id: str) -> ChosenFile | None:
        """Return the given file, None without one."""
        files = self._answer(block_id).get("files") or ()
        if not files:
            return None
        name, size = str(files[0].get("name") or "the file"), int(files[0].get("size") or 0)
        return ChosenFile(name=name, size=size, url=self.file_address(block_id))

    def file_address(self, block_id: str) -> str:
        """Return the private address of the given file, "" without one."""
        files = self._answer(block_id).get("files") or ()
        return str(files[0].get("url_private_download") or files[0].get("url_private") or "") if files else ""

    def channel(self, block_id: str) -> ChannelId | None:
        """Return the chosen channel, None without one."""
        chosen = self._answer(block_id).get("selected_conversation")
        return None if chosen is None else ChannelId(chosen)

    def clock(self, block_id: str) -> time | None:
        """Return the chosen time of day, None without one."""
        chosen = self._answer(block_id).get("selected_time")
        return None if not chosen else time.fromisoformat(chosen)

    def moment(self, block_id: str) -> datetime | None:
        """Return the chosen instant, None without one."""
        chosen = self._answer(block_id).get("selected_date_time")
        return None if chosen is None else datetime.fromtimestamp(int(chosen), UTC)

    def day(self, block_id: str) -> date | None:
        """Return the chosen day, None without one."""
        chosen = self._answer(block_id).get("selected_date")
        return None if not chosen else date.fromisoformat(chosen)
