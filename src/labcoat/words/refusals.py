"""What a person reads when a rule says no: what happened, why, and what to do now."""

from collections.abc import Callable, Mapping
from datetime import datetime

from labcoat.domain.correcting import RECORD
from labcoat.domain.person import Standing
from labcoat.domain.refusal import FactValue, Reason, Refusal
from labcoat.words import numbers

_TEXTS: Mapping[Reason, str] = {
    Reason.NOT_OWNER: "Only the owner of H-{hypothesis} ({owner_name}) can do that. Ask them.",
    Reason.NOT_OWNER_OR_LEAD: "Only the owner of H-{hypothesis} ({owner_name}) or a lead can do that.",
    Reason.NOT_ELIGIBLE: (
        "This needs a lead who never owned H-{hypothesis} or asked for it, so that a second person looks at the evidence. "
        "Please pick, or ask, another lead."
    ),
    Reason.NOT_IN_CHANNEL: "That happens in {channel_name}, where the hypothesis lives. Please do it from there.",
    Reason.ADMIN_ONLY: "Only an admin of this Slack workspace can do that. Ask one of them.",
    Reason.LEAD_ONLY: "H-{hypothesis} was shipped, so only a lead can reopen it. Ask a lead, or file a new hypothesis.",
    Reason.HAS_OWNER: "H-{hypothesis} already has an owner ({owner_name}).",
    Reason.NOT_MEMBER: "{standing_name}, so nothing was changed. Please ask a member of this workspace to do it with you.",
    Reason.PERSON_UNABLE: "{other_standing} Please pick a member of this workspace.",
    Reason.PERSON_AWAY: "They are away until {until_day}, so they would not see it in time. Please pick someone else.",
    Reason.DEPUTY_IS_OWNER: "A deputy stands in for the owner, so it takes two people. Pick someone else, or nobody.",
    Reason.STAND_IN_IS_SELF: "While you are away someone else has to stand in. Pick them, or leave it empty.",
    Reason.NOT_IN_FUTURE: "That day has begun already. Pick the first day that you are back.",
    Reason.TOO_FAR: "That is more than a year away. Pick an earlier day; you can always change it.",
    Reason.NOT_LATER: "That day has begun already. Pick a later one.",
    Reason.SNOOZED_TOO_LONG: "{most} days is the most. If it will wait longer, close it; you can reopen it.",
    Reason.NOTHING_CHANGED: "That is how it is already: nothing of H-{hypothesis} would change. Pick another owner or deputy.",
    Reason.NOT_A_ZONE: "“{text}” is no time zone or city that I know. Example: Europe/Berlin, or New York.",
    Reason.QUIET_HALF: "Quiet hours need both: from when, and until when. Or leave both empty.",
    Reason.QUIET_ALWAYS: "From and until are the same hour. To have no nudges at all, switch them off above.",
    Reason.TOO_MANY: "These are {count}; the limit is {most}. Please keep the ones that people use.",
    Reason.CLOSED: "H-{hypothesis} is closed ({decision}), so nothing was changed. {or_correct}",
    Reason.NOT_CLOSED: "H-{hypothesis} is still open, so there is nothing to reopen. See `/hypothesis show H-{hypothesis}`.",
    Reason.WRONG_STAGE: "H-{hypothesis} is at the stage “{stage}”, where that step is not possible. {or_correct}",
    Reason.WRONG_STATE: "{experiment_name} is {state}, so that is not possible. {next_step}",
    Reason.NO_EXPERIMENT: "H-{hypothesis} has no such experiment. To plan one: `/experiment plan H-{hypothesis}`.",
    Reason.NO_PROTOTYPE: "H-{hypothesis} has no prototype yet. To begin one: `/hypothesis prototype H-{hypothesis}`.",
    Reason.ANOTHER_RUNNING: "E-{experiment} is already running. Stop it first: `/experiment stop E-{experiment}`.",
    Reason.ANOTHER_DRAFT: "E-{experiment} is already planned. Start it, or cancel it: `/experiment cancel E-{experiment}`.",
    Reason.RUNNING: "E-{experiment} is still running. Stop it first: `/experiment stop E-{experiment}`.",
    Reason.TEXT_LOCKED: (
        "An experiment of H-{hypothesis} has started, so its words can't change any more. "
        "To test something else, close it and file a new hypothesis."
    ),
    Reason.LOCKED_AT_START: (
        "E-{experiment} is already running, so its plan can't change. "
        "To change it, stop it first: `/experiment stop E-{experiment}`."
    ),
    Reason.REQUEST_WAITING: "A request for H-{hypothesis} already waits for {asked_of_name}. To ask someone else or take it back: `/experiment decide H-{hypothesis}`.",
    Reason.NO_REQUEST: "Nobody has asked for an approval of H-{hypothesis}. Its owner can: `/experiment ask H-{hypothesis}`.",
    Reason.ALREADY_DECIDED: "This request was already {state}{by_whom}{at_when}{why_so}. Nothing was changed by your click.",
    Reason.NOT_EXPIRED: "The request for H-{hypothesis} has not expired yet.",
    Reason.PREDICTIONS_CLOSED: "E-{experiment} is {state}, and predictions are fixed from the start on. Predict the next one: `/experiment predict E-7`.",
    Reason.LAST_LOOK_WAITS: "The final look of E-{experiment} waits until its data are complete{of_sources}{at_latest}, so that the request rests on all of them. The card tells when it is made; please ask again then.",
    Reason.LAST_LOOK_PENDING: "The last look of E-{experiment} is being made, so that the request rests on it. Please ask again in a minute.",
    Reason.DATA_OF_THE_PAST: "E-{experiment} reads data of the past, which nothing can change any more. Stop it and run it again with another plan: `/experiment stop E-{experiment}`.",
    Reason.CONTROL_STAYS: "“{name}” is the control, which every treatment is compared with. Pick a treatment, or stop E-{experiment}: `/experiment stop E-{experiment}`.",
    Reason.DROPPED_BEFORE: "“{name}” was dropped already{at_when}, and its verdict stays. See `/experiment result E-{experiment}`.",
    Reason.LAST_TREATMENT: "“{name}” is the only treatment left. Stop the experiment instead: `/experiment stop E-{experiment}`.",
    Reason.CAUSE_NEEDS_ROWS: (
        "E-{experiment} gets totals since its start, and nobody can take the units before the fix out of them. "
        "Stop it and run it again: `/experiment stop E-{experiment}`, then `/experiment again E-{experiment}`."
    ),
    Reason.CAUSE_NEEDS_DAYS: (
        "The planned end of E-{experiment} is reached, so no days are left to start over in. "
        "Stop it and run it again: `/experiment stop E-{experiment}`, then `/experiment again E-{experiment}`."
    ),
    Reason.CAUSE_NEEDS_TIMES: (
        "The exposures of E-{experiment} have no time in the metrics file (`exposed_at`), so units before and after the "
        "fix can't be told apart. Stop it and run it again: `/experiment stop E-{experiment}`, then `/experiment again E-{experiment}`."
    ),
    Reason.CAUSE_FIXED_BEFORE: (
        "A cause was already fixed in E-{experiment}{at_when}, and an experiment starts over once at most. If its split is off "
        "again, stop it and run it again: `/experiment stop E-{experiment}`, then `/experiment again E-{experiment}`."
    ),
    Reason.SPLIT_AS_PLANNED: (
        "The newest numbers of E-{experiment} show no uneven split, so nothing has to start over. "
        "See `/experiment result E-{experiment}`."
    ),
    Reason.MISSING: "Please fill this in.",
    Reason.TOO_LONG: "That is {length:,} characters; the limit is {longest:,}. Please shorten it, and link to the rest.",
    Reason.NOT_A_NUMBER: "“{text}” can't be read here. Use a plain number. Example: 12 or 0.5.",
    Reason.NOT_POSITIVE: "“{text}” is not above zero. Example: 3.",
    Reason.TOO_LARGE: "“{text}” is larger than can be right here. Please check the number.",
    Reason.NEGATIVE: "“{text}” is below zero, which can't be counted. Please check the number.",
    Reason.REASON_NEEDED: "Please give a reason in a sentence, because {because}.",
    Reason.EVIDENCE_NEEDED: (
        "H-{hypothesis} has no evidence yet. Show the prototype to real users first, then add what they did: "
        "`/hypothesis evidence H-{hypothesis}`."
    ),
    Reason.USER_EVIDENCE_NEEDED: (
        "No user has reacted to the prototype yet. Say why you go on without (it will be shown as “no user feedback yet”), "
        "or add evidence from users first."
    ),
    Reason.CAP_NOT_RAISED: "The cap is {cap} person-days already. Give a higher one, or close the hypothesis.",
    Reason.IN_THE_FUTURE: "That is still to come. Give a moment up to now; for a start to come, come back then.",
    Reason.BEFORE_THE_START: "That is not after the experiment's start. Please check the date.",
    Reason.END_BEFORE_START: "The end must be after the start. Please check the two dates.",
    Reason.ALLOCATION: "The shares add up to {total_percent}, not 100 %. Example: control 50, treatment 50.",
    Reason.TWO_VARIANTS: "An experiment needs at least two variants, control first. Example: control 50, treatment 50.",
    Reason.VARIANT_TWICE: "“{name}” is there twice. Give each variant a name of its own, without blanks. Example: gate_30 50, gate_40 50.",
    Reason.NOT_A_PLAN_VARIANT: "“{name}” is no variant of the plan.{did_you_mean} Its variants are: {known}.",
    Reason.VARIANT_MISSING: "The numbers of “{name}” are missing from {metric}. Give all variants: {known}.",
    Reason.NO_GOAL: "Name one goal metric: the one that decides. Example: orders per user.",
    Reason.METRIC_TWICE: "“{name}” is there twice. A metric has one role.",
    Reason.NOT_A_PLAN_METRIC: "“{text}” is no metric of the plan.{did_you_mean} Its metrics are: {known}.",
    Reason.NOT_A_METRIC: "“{text}” is not in the metrics file. {hint}",
    Reason.NO_MINIMUM_EFFECT: "Give the smallest effect on {metric} that would be worth having. Example: 2 % or 0.5 points.",
    Reason.BASELINE_NEEDED: "An effect in percent needs a baseline above zero: what is {metric} today? Example: 19 % or 4.2.",
    Reason.NOT_AN_EFFECT: "“{text}” can't be read as an effect. Examples: 2 % (of the baseline), 0.5 points, 0.3.",
    Reason.IMPOSSIBLE_EFFECT: "{metric} can't move that far: a share stays between 0 and 100 %. Give a smaller one.",
    Reason.TOO_SMALL_EFFECT: "To show {what} {metric} that small takes more units than there are. Give a larger one.",
    Reason.DIRECTION_NEEDED: "Say which way is good for “{name}”. Example: {name} down.",
    Reason.MARGIN_NEEDS_UNIT: (
        "A margin of {metric} in percent needs what it is today. Example: margin 5 %, today 2 %. "
        "Or give it in its own unit: margin 0.2 points."
    ),
    Reason.NAME_WITH_BLANK: "“{name}” has a blank, so its totals could not be typed in one line. Write it together, as in gate_30.",
    Reason.METRIC_KEEPS_GROWING: (
        "Group sequential can't pay for looks at {metric}: it keeps growing for each {unit} already counted. In the plan form, "
        "count only each {unit}'s first days (“Work it out” shows the field), or choose “confidence sequence”. If it never "
        "changes after the first row, declare it `complete_at_exposure` in the metrics file."
    ),
    Reason.DESIGN_NEEDS_WAREHOUSE: (
        "Numbers that people send come at times they choose. Use “confidence sequence” or “one look at the end”, "
        "or take the goal from the metrics file."
    ),
    Reason.WINDOW_TOO_LONG: "The metric counts {window} days after exposure. Plan more days than that.",
    Reason.NOT_COUNTS: (
        "“{text}” can't be read as counts. Write successes/units for each variant: "
        "`/experiment record {id} control=1200/24000 treatment=1310/24100`."
    ),
    Reason.MORE_EVENTS_THAN_UNITS: "“{name}” has more successes ({events:,}) than units ({units:,}). Write successes/units.",
    Reason.MEANS_NEED_FORM: "{metric} is a mean: give n, mean and standard deviation in the form: `/experiment record {id}`.",
    Reason.SMALLER_THAN_BEFORE: (
        "Totals only grow, and these are smaller than the last ones for {metric} ({before}){as_of_when}. "
        "Correct the earlier entry? If it was wrong, say so; nothing was stored yet."
    ),
    Reason.OTHERS_ALREADY_STORED: (
        "For {metric} there are other totals as of the same moment or later ({before}){as_of_when}. "
        "Correct the earlier entry? If it was wrong, say so; else send the totals as of now. Nothing was stored yet."
    ),
    Reason.COUNTS_COME_FROM_WAREHOUSE: (
        "E-{experiment} reads its numbers from the metrics file every day, so none were stored. See `/experiment result E-{experiment}`."
    ),
    Reason.UNKNOWN_COMMAND: "“{text}” is not something I know. {hint}",
    Reason.UNKNOWN_ID: "There is no {id} here. `/hypothesis list` shows what there is.",
    Reason.NO_CHANNEL: "Hypotheses live in a channel. Please type this in the channel where it belongs.",
    Reason.NOTE_EMPTY: "Write what you saw after the id: `/experiment note {id} users ask for a filter`.",
    Reason.NOTHING_OPEN: "No hypothesis is open, and a need is noted where it was found. File one first: `/hypothesis`.",
    Reason.FROM_EARLIER: "That is from an earlier version of Labcoat and does nothing any more, so nothing was changed. `/hypothesis help` shows what there is.",
    Reason.TOO_FAST: "That was more in one minute than one person can mean, so this was not done. Please go on in a minute.",
    Reason.FILE_UNREADABLE: "The file could not be read from Slack just now. Please give it again, or paste its text.",
    Reason.FILE_TOO_LARGE: "The file is larger than {megabytes} MB. Please leave columns out, or sum it up: a row for each variant.",
    Reason.FILE_FAULT: "{text}",
    Reason.FILE_DONE: "That file's totals were stored already, or are too old to be. Give the file again: `/experiment record E-7`.",
    Reason.FILE_NOT_TEXT: "That is no text file. Save the sheet as CSV, and choose that.",
    Reason.NOTHING_TO_IMPORT: "There is nothing in it yet. Paste one title a line, or a table with a header.",
    Reason.TOO_MANY_ROWS: "That is {count:,} lines; the limit is {most:,} at a time. Please bring them in parts.",
    Reason.NOT_TOTALS: "{text}. A table of totals has the columns {known}, a row for each variant; or a row for each unit, with variant and {metric}.",
    Reason.NOT_A_TABLE: "Line {line} can't be read as part of a table. Check its quotes.",
    Reason.OTHER_TOTALS: "{metric} is a {kind}, so each variant needs {known}. Nothing was stored.",
    Reason.TOKEN_NAME_TAKEN: "A token named “{name}” works already. Pick another name, so that people know who sends; or revoke that one first.",
    Reason.UNKNOWN_TOKEN: "No token with the id “{text}” works. `labcoat token list` shows all.",
    Reason.NO_WORKSPACE: "No workspace has used Labcoat here yet. File a hypothesis in Slack first.",
    Reason.WHICH_WORKSPACE: "There are several workspaces: {known}. Say for which one: `--workspace`.",
    Reason.UNKNOWN_WORKSPACE: "No workspace {text} has used Labcoat here. Those that have: {known}.",
    Reason.ID_NEEDED: "Which one? Give its id: `{command} H-12`. `/hypothesis list mine` shows yours.",
}

_STANDINGS: Mapping[str, str] = {
    Standing.GUEST: "Guests can read along here, but hypotheses and experiments are for members",
    Standing.BOT: "Hypotheses and experiments are for people, not for bots",
    Standing.DEACTIVATED: "This account is deactivated",
    Standing.STRANGER: "You are from another workspace: you can read along here, but only this workspace's members take part",
}

_OTHERS: Mapping[str, str] = {
    Standing.GUEST: "They are a guest here, and guests read along only.",
    Standing.BOT: "That is a bot, and this takes a person.",
    Standing.DEACTIVATED: "Their account is deactivated.",
    Standing.STRANGER: "They are from another workspace.",
}

NEXT_STEP: Mapping[str, str] = {
    "hypothesize": "Begin a prototype: `/hypothesis prototype H-{hypothesis}`.",
    "prototype": "Plan an experiment: `/experiment plan H-{hypothesis}`.",
    "experiment": "Its card shows what is possible: `/hypothesis show H-{hypothesis}`.",
    "productionize": "It can be shipped: `/experiment ship H-{hypothesis}`.",
}

_NEXT_OF_STATE: Mapping[str, str] = {
    "draft": "Start it first: `/experiment start E-{experiment}`.",
    "running": "Stop it first: `/experiment stop E-{experiment}`.",
    "stopped": "It has ended; its numbers stay: `/experiment result E-{experiment}`.",
    "cancelled": "Plan another one.",
}


def text(
    refusal: Refusal,
    *,
    zone: str = "UTC",
    escape: Callable[[str], str] = str,
    mention: Callable[[str], str] = "<@{}>".format,
) -> str:
    """Return the sentence for a refusal.

    escape: what makes text that people typed harmless where this is shown. mention: how a person's id is shown there.
    """
    facts: dict[str, FactValue] = {"id": "E-7", "hint": "", "command": "/hypothesis show"}
    facts |= {word: escape(fact) if isinstance(fact, str) else fact for word, fact in refusal.facts.items()}
    return _TEXTS[refusal.reason].format_map(_Facts(facts, zone, mention)).strip()


class _Facts(dict[str, object]):
    """Facts with what can be said from them; a missing one is a bug and raises."""

    def __init__(self, facts: Mapping[str, FactValue], zone: str, mention: Callable[[str], str]) -> None:
        super().__init__(
            {word: numbers.plain(fact) if isinstance(fact, float) else fact for word, fact in facts.items()}
        )
        self._zone = zone
        for word in ("owner", "asked_of"):
            self[f"{word}_name"] = mention(str(facts[word])) if facts.get(word) else "nobody yet"
        self["channel_name"] = f"<#{facts.get('channel')}>"
        self["by_whom"] = f" by {mention(str(facts['by']))}" if facts.get("by") else ""
        self["at_when"] = f" on {self._when(facts['at'])}" if facts.get("at") else ""
        self["of_sources"] = f" ({facts['sources']})" if facts.get("sources") else ""
        self["at_latest"] = f", until {self._when(facts['latest'])} at the latest" if facts.get("latest") else ""
        nearest = facts.get("nearest")
        self["did_you_mean"] = f" Did you mean “{nearest}”?" if nearest else ""
        number = facts.get("experiment")
        self["experiment_name"] = f"E-{number}" if number else "Its experiment"
        self["standing_name"] = _STANDINGS.get(str(facts.get("standing")), "")
        self["other_standing"] = _OTHERS.get(str(facts.get("standing")), "They can't take part here.")
        self["until_day"] = self._day(facts["until"]) if facts.get("until") else "later"
        self["state"] = facts.get("state") or "not planned yet"
        self["next_step"] = self._next_step(facts)
        self["or_correct"] = self._or_correct(facts)
        self["as_of_when"] = f", as of {self._when(facts['as_of'])}" if facts.get("as_of") else ""
        self["why_so"] = f": {facts['why']}" if facts.get("why") else ""
        total = facts.get("total")
        self["total_percent"] = f"{100 * total:.6g} %" if isinstance(total, float) else ""

    def _or_correct(self, facts: Mapping[str, FactValue]) -> str:
        """Return what to do instead of a step that the stage does not allow."""
        if facts.get("step") == RECORD:
            return "It takes no new totals any more; if earlier ones were wrong, correct them."
        if facts.get("decision"):
            return "To go on from it, file a new hypothesis."
        return self._next_step(facts)

    def _when(self, at: FactValue) -> str:
        return numbers.day_and_time(datetime.fromisoformat(str(at)), self._zone)

    def _day(self, at: FactValue) -> str:
        return numbers.day(datetime.fromisoformat(str(at)), self._zone)

    @staticmethod
    def _next_step(facts: Mapping[str, FactValue]) -> str:
        state = facts.get("state")
        if state is not None and facts.get("experiment") is not None:
            return _NEXT_OF_STATE.get(str(state), "").format_map(facts)
        if facts.get("stage") is not None:
            return NEXT_STEP[str(facts["stage"])].format_map(facts)
        return "Plan one first."
