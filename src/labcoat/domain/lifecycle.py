"""Which step is allowed where: the table of DESIGN section 3 in one place, checked before any other rule."""

from collections.abc import Mapping
from enum import StrEnum


class Stage(StrEnum):
    """How far a hypothesis has come; kept when it is closed, so that it can be reopened there."""

    HYPOTHESIZE = "hypothesize"
    PROTOTYPE = "prototype"
    EXPERIMENT = "experiment"
    PRODUCTIONIZE = "productionize"


class ExperimentState(StrEnum):
    """Where one experiment is."""

    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    CANCELLED = "cancelled"


class RequestState(StrEnum):
    """Where one request to a lead is."""

    WAITING = "waiting"
    APPROVED = "approved"
    SENT_BACK = "sent back"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Step(StrEnum):
    """Everything that can happen to a hypothesis; also the word in its history."""

    FILE = "file"
    EDIT = "edit"
    TAKE = "take"
    HAND_OVER = "hand over"
    PROTOTYPE = "prototype"
    ADD_EVIDENCE = "add evidence"
    RAISE_CAP = "raise cap"
    ADD_NEED = "add need"
    NOTE = "note"
    PLAN = "plan"
    START = "start"
    CANCEL = "cancel"
    DROP = "drop a treatment"
    FIX_CAUSE = "fix the cause"
    STOP = "stop"
    RUN_AGAIN = "run again"
    ASK = "ask"
    APPROVE = "approve"
    SEND_BACK = "send back"
    DECLINE = "decline"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    SHIP = "ship"
    CLOSE = "close"
    PIVOT = "pivot"
    REOPEN = "reopen"


OPEN_STAGES = frozenset(Stage)

STAGES_OF_STEP: Mapping[Step, frozenset[Stage]] = {
    Step.EDIT: OPEN_STAGES,
    Step.TAKE: OPEN_STAGES,
    Step.HAND_OVER: OPEN_STAGES,
    Step.PROTOTYPE: frozenset({Stage.HYPOTHESIZE}),
    Step.ADD_EVIDENCE: OPEN_STAGES - {Stage.HYPOTHESIZE},
    Step.RAISE_CAP: frozenset({Stage.PROTOTYPE}),
    Step.ADD_NEED: OPEN_STAGES,
    Step.NOTE: OPEN_STAGES,
    Step.PLAN: OPEN_STAGES - {Stage.PRODUCTIONIZE},
    Step.START: frozenset({Stage.EXPERIMENT}),
    Step.CANCEL: frozenset({Stage.EXPERIMENT}),
    Step.DROP: frozenset({Stage.EXPERIMENT}),
    Step.FIX_CAUSE: frozenset({Stage.EXPERIMENT}),
    Step.STOP: frozenset({Stage.EXPERIMENT}),
    Step.RUN_AGAIN: frozenset({Stage.EXPERIMENT}),
    Step.ASK: frozenset({Stage.PROTOTYPE, Stage.EXPERIMENT}),
    Step.APPROVE: frozenset({Stage.PROTOTYPE, Stage.EXPERIMENT}),
    Step.SEND_BACK: frozenset({Stage.PROTOTYPE, Stage.EXPERIMENT}),
    Step.DECLINE: frozenset({Stage.PROTOTYPE, Stage.EXPERIMENT}),
    Step.EXPIRE: frozenset({Stage.PROTOTYPE, Stage.EXPERIMENT}),
    Step.WITHDRAW: frozenset({Stage.PROTOTYPE, Stage.EXPERIMENT}),
    Step.SHIP: frozenset({Stage.PRODUCTIONIZE}),
    Step.CLOSE: OPEN_STAGES,
    Step.PIVOT: OPEN_STAGES,
    Step.REOPEN: frozenset({Stage.PRODUCTIONIZE}),
}
"""Stages of an open hypothesis in which a step may happen. FILE makes one; REOPEN also opens a closed one again."""

STATE_OF_STEP: Mapping[Step, ExperimentState] = {
    Step.START: ExperimentState.DRAFT,
    Step.CANCEL: ExperimentState.DRAFT,
    Step.DROP: ExperimentState.RUNNING,
    Step.FIX_CAUSE: ExperimentState.RUNNING,
    Step.STOP: ExperimentState.RUNNING,
    Step.RUN_AGAIN: ExperimentState.STOPPED,
}
"""The state an experiment must be in for a step that is about it."""
