"""Files: what is said while one is read, and what became of it."""

from labcoat.domain.facts import ExportFailed, FileRefused, FileStored
from labcoat.domain.refusal import Refusal
from labcoat.slack.blocks import Block, Message, actions, button, context, escape, section
from labcoat.words import files as words
from labcoat.words import numbers, refusals

CORRECT = "correct_file"


def reading_message(name: str, length: int) -> Message:
    """Return what the form says once a file is taken: it is read soon, and nobody has to wait."""
    text = f"Reading {escape(name)} ({words.size(length)})…"
    after = "You can close this. I tell you in a direct message what is in it, in about a minute."
    return Message(text=text, blocks=(section(f":hourglass_flowing_sand: *{text}*\n{after}"),))


def file_message(fact: FileStored | FileRefused | ExportFailed, *, zone: str) -> Message:
    """Return what became of a file that somebody gave or asked for."""
    match fact:
        case FileStored():
            return _stored(fact)
        case FileRefused():
            return _refused(fact, zone=zone)
        case ExportFailed():
            text = words.not_exported(fact.problem)
            return Message(text=text, blocks=(section(text),))


def _name(fact: FileStored | FileRefused) -> str:
    return f"{escape(numbers.shortened(fact.file, 100))} ({words.size(fact.size)})"


def _stored(fact: FileStored) -> Message:
    number = f"E-{fact.experiment}"
    metrics = escape(numbers.shortened(", ".join(fact.metrics), 1000))
    units = numbers.counted(fact.units, "unit")
    stored = f"Stored for {number}: {metrics}." if metrics else "They were stored already, so nothing changed."
    text = f"{_name(fact)} is read: {units}. {stored}"
    button_row = actions([button("Show the result", verb="result", value=number, style="primary")])
    taken = [context(escape(fact.taken[:1000]))] if fact.taken else []
    return Message(text=text, blocks=(section(f":white_check_mark: {text}"), *taken, button_row))


def _refused(fact: FileRefused, *, zone: str) -> Message:
    number = f"E-{fact.experiment}"
    refusal = Refusal.again(fact.reason, fact.facts)
    why = refusals.text(refusal, zone=zone, escape=escape)
    buttons: list[Block] = []
    if fact.job is not None:
        value = f"{number} {fact.job}"
        buttons.append(button("Correct the earlier entry", verb=CORRECT, value=value, style="primary"))
    buttons.append(button("Give another file", verb="record", value=number))
    text = f"{_name(fact)} was not stored for {number}."
    blocks = (section(f":paperclip: *{text}*\n{why}"), actions(buttons), context("Earlier totals are as they were."))
    return Message(text=f"{text} {why}", blocks=blocks)


def export_asked_message(*, is_new: bool) -> Message:
    """Return the answer to who asks for an export."""
    text = (
        "I'm writing the files. They come to you in a direct message in a minute: hypotheses, experiments and readouts."
        if is_new
        else "Your files are being written already. They come to you in a direct message in a minute."
    )
    return Message(text=text, blocks=(section(f":package: {text}"),))
