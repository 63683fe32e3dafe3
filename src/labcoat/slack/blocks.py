"""Block Kit, built in one place: here text is escaped, and cut to Slack's documented limits."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Block = dict[str, Any]

SECTION_LENGTH, HEADER_LENGTH, BUTTON_LENGTH, OPTION_LENGTH, LABEL_LENGTH = 3000, 150, 75, 75, 2000
VALUE_LENGTH = 2000
ALT_LENGTH = 2000
PLACEHOLDER_LENGTH, TITLE_LENGTH, FIELD_LENGTH, INPUT_LENGTH, TEXT_LENGTH = 150, 24, 2000, 3000, 4000
ALL_BLOCKS_LENGTH = 12_000
"""Of all texts in a message's blocks together; undocumented, as Slack's engineers name it in bolt-js issue 2509."""
MESSAGE_BLOCKS, VIEW_BLOCKS, BUTTONS, FIELDS, OPTIONS = 50, 100, 25, 10, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message: blocks, and the text that stands for them in notifications and for screen readers."""

    text: str
    blocks: tuple[Block, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Return it as chat.postMessage, chat.update and acks take it; links are not unfurled."""
        return {"text": cut(self.text, TEXT_LENGTH), "blocks": _fitting(self.blocks[:MESSAGE_BLOCKS])}


def _fitting(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks with their longest texts cut as far as all of them together need it."""
    lengths = [len(text) for text in _texts(blocks)]
    longest = SECTION_LENGTH
    if sum(lengths) <= ALL_BLOCKS_LENGTH and max(lengths, default=0) <= longest:
        return list(blocks)
    while sum(min(length, longest) for length in lengths) > ALL_BLOCKS_LENGTH:
        longest -= 100
    return [_with_texts_cut(block, longest) for block in blocks]


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["text"]
        part = part.values()
    elif not isinstance(part, (list, tuple)):
        return
    for inner in part:
        yield from _texts(inner)


def _with_texts_cut(part: Any, longest: int) -> Any:
    if isinstance(part, list):
        return [_with_texts_cut(inner, longest) for inner in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "mrkdwn":
        return {**part, "text": cut(part["text"], longest)}
    return {name: _with_texts_cut(inner, longest) for name, inner in part.items()}


def escape(text: str) -> str:
    """Return user text that stays text: `<!channel>` notifies nobody.

    >>> escape("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Return the text of a command as it was typed; Slack hands it on escaped.

    >>> unescape("offers &lt; 5 &amp; more")
    'offers < 5 & more'
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def quote(text: str) -> str:
    """Return user text as a quotation in mrkdwn, each of its lines.

    >>> quote("one <b>\\ntwo")
    '&gt; one &lt;b&gt;\\n&gt; two'
    """
    return "\n".join(f"&gt; {line}" for line in escape(text.strip()).splitlines())


def cut(text: str, longest: int) -> str:
    """Return the text, shortened with an ellipsis if it is longer than Slack takes; never inside an escape."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    start = kept.rfind("&")
    if start >= max(0, len(kept) - 5) and ";" not in kept[start:]:
        kept = kept[:start]
    return kept + "…"


def plain(text: str, longest: int) -> Block:
    """Return a plain_text object; never empty, which Slack refuses."""
    return {"type": "plain_text", "text": cut(text.strip() or "-", longest), "emoji": True}


def header(text: str) -> Block:
    """Return a header."""
    return {"type": "header", "text": plain(text, HEADER_LENGTH)}


def section(text: str, *, accessory: Block | None = None) -> Block:
    """Return a section of mrkdwn."""
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": cut(text or "-", SECTION_LENGTH)}}
    return block | ({"accessory": accessory} if accessory else {})


def fields(texts: Iterable[str]) -> Block:
    """Return a section of short facts in two columns."""
    shown = [{"type": "mrkdwn", "text": cut(text, FIELD_LENGTH)} for text in texts]
    return {"type": "section", "fields": shown[:FIELDS]}


def context(text: str) -> Block:
    """Return small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": cut(text or "-", SECTION_LENGTH)}]}


def divider() -> Block:
    """Return a line."""
    return {"type": "divider"}


def actions(buttons: Sequence[Block]) -> Block:
    """Return a row of buttons."""
    return {"type": "actions", "elements": list(buttons[:BUTTONS])}


def button(text: str, *, verb: str, value: str, style: str | None = None, key: str = "") -> Block:
    """Return a button that does what the verb does; key: tells apart two of one verb in one message."""
    action_id = f"{verb}:{key}" if key else verb
    block: Block = {
        "type": "button",
        "text": plain(text, BUTTON_LENGTH),
        "action_id": action_id,
        "value": value[:VALUE_LENGTH],
    }
    return block | ({"style": style} if style else {})


def overflow(choices: Sequence[tuple[str, str]], *, key: str = "") -> Block:
    """Return a "…" menu, at most five choices. choices: what each does ("handover H-12"), and its label."""
    options = [option(value, label) for value, label in choices[:5]]
    return {"type": "overflow", "action_id": f"more:{key}" if key else "more", "options": options}


def form(callback: str, *, title: str, submit: str, blocks: Sequence[Block], metadata: str) -> Block:
    """Return a modal. metadata: what its submission needs to know, at most 3,000 signs."""
    return {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, TITLE_LENGTH),
        "submit": plain(submit, TITLE_LENGTH),
        "close": plain("Cancel", TITLE_LENGTH),
        "private_metadata": metadata,
        "blocks": list(blocks[:VIEW_BLOCKS]),
    }


def notice_view(title: str, message: Message) -> Block:
    """Return a modal that only says something."""
    return {
        "type": "modal",
        "title": plain(title, TITLE_LENGTH),
        "close": plain("Close", TITLE_LENGTH),
        "blocks": list(message.blocks),
    }


def _input(block_id: str, label: str, element: Block, *, hint: str, is_optional: bool) -> Block:
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, LABEL_LENGTH),
        "element": {"action_id": "answer", **element},
        "optional": is_optional,
    }
    return block | ({"hint": plain(hint, LABEL_LENGTH)} if hint else {})


def anew(block: Block, key: str) -> Block:
    """Return a block whose own initial value counts. key: another one than before.

    Slack keeps what was typed into a form that is shown again, where block and action stay the same.
    """
    if block["type"] != "input":
        return block
    return {**block, "element": {**block["element"], "action_id": f"answer:{key}"}}


def text_input(
    block_id: str,
    label: str,
    *,
    hint: str = "",
    example: str = "",
    initial: str = "",
    is_long: bool = False,
    is_optional: bool = False,
    is_live: bool = False,
    key: str = "",
) -> Block:
    """Return a text field. Numbers are text fields too: what cannot be read gets an answer with an example.

    is_live: the form is told when Enter is pressed in it. key: of a live one, another makes Slack forget what it held.
    """
    element: Block = {"type": "plain_text_input", "multiline": is_long, "max_length": INPUT_LENGTH}
    if example:
        element["placeholder"] = plain(example, PLACEHOLDER_LENGTH)
    if initial:
        element["initial_value"] = cut(initial, INPUT_LENGTH)
    block = _input(block_id, label, element, hint=hint, is_optional=is_optional)
    return _live(block, key=key) if is_live else block


def _live(block: Block, *, key: str = "") -> Block:
    action_id = f"live:{block['block_id']}" + (f":{key}" if key else "")
    element = {**block["element"], "action_id": action_id}
    return {**block, "dispatch_action": True, "element": element}


def option(value: str, text: str = "") -> Block:
    """Return a choice; its text is its value unless given."""
    return {"text": plain(text or value, OPTION_LENGTH), "value": cut(value, OPTION_LENGTH)}


def select_input(
    block_id: str,
    label: str,
    options: Sequence[Block],
    *,
    initial: str | None = None,
    hint: str = "",
    is_optional: bool = False,
    is_live: bool = False,
    key: str = "",
) -> Block:
    """Return a drop-down. is_live: the form is told when the choice changes; key: another one forgets the choice."""
    element: Block = {"type": "static_select", "options": list(options[:OPTIONS])}
    chosen = next((one for one in options if one["value"] == initial), None)
    if chosen is not None:
        element["initial_option"] = chosen
    block = _input(block_id, label, element, hint=hint, is_optional=is_optional)
    return _live(block, key=key) if is_live else block


def radio_input(
    block_id: str,
    label: str,
    options: Sequence[Block],
    *,
    initial: str | None = None,
    hint: str = "",
    is_live: bool = False,
) -> Block:
    """Return radio buttons, at most ten. is_live: the form is told when the choice changes."""
    element: Block = {"type": "radio_buttons", "options": list(options[:10])}
    chosen = next((one for one in options if one["value"] == initial), None)
    if chosen is not None:
        element["initial_option"] = chosen
    block = _input(block_id, label, element, hint=hint, is_optional=False)
    return _live(block) if is_live else block


def checkbox_input(block_id: str, label: str, options: Sequence[Block], *, hint: str = "") -> Block:
    """Return check boxes, at most ten; none checked is an answer."""
    element: Block = {"type": "checkboxes", "options": list(options[:10])}
    return _input(block_id, label, element, hint=hint, is_optional=True)


def person_input(
    block_id: str, label: str, *, initial: str | None = None, hint: str = "", is_optional: bool = False
) -> Block:
    """Return a choice of a person."""
    element: Block = {"type": "users_select"} | ({"initial_user": initial} if initial else {})
    return _input(block_id, label, element, hint=hint, is_optional=is_optional)


def people_input(block_id: str, label: str, *, initial: Sequence[str] = (), hint: str = "") -> Block:
    """Return a choice of any number of people; nobody is an answer."""
    element: Block = {"type": "multi_users_select"} | ({"initial_users": list(initial)} if initial else {})
    return _input(block_id, label, element, hint=hint, is_optional=True)


def channel_input(
    block_id: str, label: str, *, initial: str | None = None, hint: str = "", is_live: bool = False
) -> Block:
    """Return a choice of a channel, public or private. is_live: the form is told when the choice changes."""
    element: Block = {"type": "conversations_select", "filter": {"include": ["public", "private"]}}
    element |= {"initial_conversation": initial} if initial else {}
    block = _input(block_id, label, element, hint=hint, is_optional=False)
    return _live(block) if is_live else block


def clock_input(block_id: str, label: str, *, initial: str, hint: str = "") -> Block:
    """Return a choice of a time of day. initial: as 09:30."""
    return _input(block_id, label, {"type": "timepicker", "initial_time": initial}, hint=hint, is_optional=False)


def file_input(block_id: str, label: str, *, kinds: Sequence[str], hint: str = "") -> Block:
    """Return an optional choice of one file. kinds: its endings, without the dot; any if there are none."""
    element: Block = {"type": "file_input", "max_files": 1} | ({"filetypes": list(kinds)} if kinds else {})
    return _input(block_id, label, element, hint=hint, is_optional=True)


def moment_input(
    block_id: str, label: str, *, initial: datetime | None, hint: str = "", is_optional: bool = False
) -> Block:
    """Return a choice of date and time, in the person's own zone. initial: None for nothing chosen."""
    begun = {} if initial is None else {"initial_date_time": int(initial.timestamp())}
    element: Block = {"type": "datetimepicker"} | begun
    return _input(block_id, label, element, hint=hint, is_optional=is_optional)


def date_input(
    block_id: str, label: str, *, hint: str = "", initial: str | None = None, is_optional: bool = True
) -> Block:
    """Return a choice of a day. initial: as 2026-11-23."""
    element: Block = {"type": "datepicker"} | ({"initial_date": initial} if initial else {})
    return _input(block_id, label, element, hint=hint, is_optional=is_optional)
