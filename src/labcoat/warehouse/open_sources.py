"""Sources that stay open while a whole metrics file is tried, so that each file is loaded once."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self, TypeVar

from labcoat.warehouse import asking
from labcoat.warehouse.engine import Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import Metric, MetricsFile
from labcoat.warehouse.reading import measuring_of
from labcoat.warehouse.resolving import AskedMetric

AnswerT = TypeVar("AnswerT")


class OpenSources:
    """The sources of a metrics file, each opened once with the tables of all these metrics.

    A source that can't be opened so, since one of its files is not there, is opened for each question with what that
    needs. One that failed to answer is opened anew: some engines answer nothing more after an error.
    changed: why what was read counts no more, by the name of the exposures; known once all is closed.
    """

    def __init__(self, metrics_file: MetricsFile, metrics: Mapping[str, Metric]) -> None:
        self.metrics_file = metrics_file
        self.metrics = metrics
        self._open: dict[str, tuple[ExitStack, Engine]] = {}
        self._apart: set[str] = set()
        self.changed: dict[str, SourceError] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._open):
            self._close(name)

    def ask(self, name: str, asked: Sequence[AskedMetric], question: Callable[[Engine], AnswerT]) -> AnswerT:
        """Return what a question gives on the exposures of that name; raise SourceError."""
        engine = self._shared(name)
        if engine is None:
            with asking.opened(self.metrics_file, self.metrics_file.exposures[name], asked) as apart:
                return question(apart)
        try:
            return question(engine)
        except SourceError:
            self._close(name)
            raise

    def _shared(self, name: str) -> Engine | None:
        if name not in self._open and name not in self._apart:
            mine = [
                AskedMetric(name=one, metric=metric, measuring=measuring_of(metric))
                for one, metric in self.metrics.items()
                if self.metrics_file.exposures_of(metric) == name
            ]
            stack = ExitStack()
            try:
                opened = asking.opened(self.metrics_file, self.metrics_file.exposures[name], mine)
                self._open[name] = (stack, stack.enter_context(opened))
            except SourceError:
                self._apart.add(name)
        return self._open[name][1] if name in self._open else None

    def _close(self, name: str) -> None:
        if name in self._open:
            stack, _ = self._open.pop(name)
            try:
                stack.close()
            except SourceError as error:
                self.changed[name] = error
