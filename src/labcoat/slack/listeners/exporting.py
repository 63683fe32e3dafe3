"""Export: everything as files, made in the background and sent to whoever asked."""

from collections.abc import Mapping

from labcoat.domain.file_job import ExportFormat
from labcoat.slack.listeners.call import Call
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views.files import export_asked_message
from labcoat.usecases.experiments import files


def ask(call: Call, rest: str) -> None:
    """Note that somebody wants the files. rest: csv or parquet, csv if nothing is said."""
    with call.writing() as (tx, _):
        is_new = files.ask_export(tx, call.workspace, by=call.member(tx), format=ExportFormat(rest or "csv"))
    call.reply(export_asked_message(is_new=is_new))


HANDLERS: Mapping[str, Handler] = {
    "export": Handler(run=ask),
}
