"""Sources that stay open while a whole metrics file is tried, so that each file is loaded once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar

from labcoat.warehouse import connections
from labcoat.warehouse.engines.duckdb import OpenTables
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.reading import measuring_of
from labcoat.warehouse.resolving import AskedMetric

AnswerT = TypeVar("AnswerT")

_Entries = tuple[str, ...]
"""Names of exposures of one source."""


class OpenSources:
    """The sources of a metrics file, each opened once with the tables of all these exposures and metrics.

    A source that can't be opened so, since one of its files is not there, is opened for each of its exposures, or where
    that fails too for each question, with what that needs. One that answers nothing more after an error is opened anew.
    left_out: parts of files, by the name of the source; each says of which file.
    changed: why what was read counts no more, by the name of the source; known once all is closed.
    """

    def __init__(self, metrics_file: MetricsFile, *, exposures: Collection[str], metrics: Mapping[str, Metric]) -> None:
        """exposures: the names of all that will be asked about."""
        self.metrics_file = metrics_file
        self.metrics = metrics
        self._exposures = tuple(exposures)
        self._open: dict[_Entries, tuple[ExitStack, Engine]] = {}
        self._refused: set[_Entries] = set()
        self.left_out: dict[str, tuple[str, ...]] = {}
        self.changed: dict[str, SourceError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for entries in list(self._open):
            self._close(entries)

    def ask(self, name: str, asked: Sequence[AskedMetric], question: Callable[[Engine], AnswerT]) -> AnswerT:
        """Return what a question gives on the exposures of that name; raise SourceError."""
        for entries in (self._beside(name), (name,)):
            engine = self._shared(entries)
            if engine is not None:
                try:
                    return question(engine)
                except SourceError:
                    if not _still_answers(engine):
                        self._close(entries)
                    raise
        with connections.opened(self.metrics_file, self.metrics_file.exposures[name], asked) as apart:
            return question(apart)

    def _beside(self, name: str) -> _Entries:
        source = self.metrics_file.exposures[name].source
        return tuple(one for one in self._exposures if self.metrics_file.exposures[one].source == source)

    def _shared(self, entries: _Entries) -> Engine | None:
        if entries not in self._open and entries not in self._refused:
            mine = [
                AskedMetric(name=one, metric=metric, measuring=measuring_of(metric))
                for one, metric in self.metrics.items()
                if self.metrics_file.exposures_of(metric) in entries
            ]
            stack = ExitStack()
            try:
                first, *beside = (self.metrics_file.exposures[one] for one in entries)
                opened = connections.opened(self.metrics_file, first, mine, beside=beside)
                engine = stack.enter_context(opened)
            except SourceError:
                self._refused.add(entries)
            else:
                self._open[entries] = (stack, engine)
                if isinstance(engine, OpenTables):
                    self.left_out[first.source] = engine.left_out
        return self._open[entries][1] if entries in self._open else None

    def _close(self, entries: _Entries) -> None:
        stack, _ = self._open.pop(entries)
        try:
            stack.close()
        except SourceError as error:
            self.changed[self.metrics_file.exposures[entries[0]].source] = error


def _still_answers(engine: Engine) -> bool:
    try:
        engine.rows("SELECT 1 AS one")
    except SourceError:
        return False
    return True
