"""What people read in the demo's Slack, printed as they read it: each message once, and again when it was edited."""

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sandbox.client import Person
from slack_sandbox.reading import plain_text


class Reading:
    """The people, and what they have read so far. names: by user id."""

    def __init__(self, persons: Sequence[Person], *, names: Mapping[str, str]) -> None:
        self._persons, self._names = persons, names
        self._seen: dict[tuple[str, str], str] = {}

    def print_new(self) -> None:
        """Print every message that somebody can read now and could not before, or that has changed."""
        for person in self._persons:
            for conversation in person.conversations():
                self._print_conversation(person, conversation)

    def _print_conversation(self, person: Person, conversation: dict[str, Any]) -> None:
        messages = person.messages(conversation["id"])
        for parent in list(messages):
            if parent.get("reply_count"):
                messages += person.messages(conversation["id"], thread=parent["ts"])
        for message in messages:
            text, key = plain_text(message), (conversation["id"], str(message["ts"]))
            if self._seen.get(key) == text:
                continue
            where = self._where(person, conversation, message)
            edited = ", edited" if key in self._seen else ""
            self._seen[key] = text
            print_text(f"{where}{edited}", text)

    def _where(self, person: Person, conversation: dict[str, Any], message: dict[str, Any]) -> str:
        if message["is_ephemeral"]:
            return f"only visible to {self._names[person.id]}"
        if conversation["id"].startswith("D"):
            return f"direct message to {self._names[person.id]}"
        in_thread = message.get("thread_ts") not in (None, message["ts"])
        return f"#{conversation['name']}{', thread' if in_thread else ''}"


def print_text(where: str, text: str) -> None:
    """Print a text with where it is read."""
    print(f"\n  [{where}]")
    for line in text.splitlines():
        print(f"  | {line}")
