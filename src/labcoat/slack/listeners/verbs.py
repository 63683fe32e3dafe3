"""What each verb does, once for commands and buttons alike: every command has a button twin because both end here."""

from collections.abc import Callable, Mapping
from typing import Any

from labcoat.slack.listeners import (
    digest,
    editing,
    ending,
    experiment,
    exporting,
    filing,
    home,
    hypothesis,
    importing,
    lists,
    need,
    nudge,
    people,
    prediction,
    prototype,
    request,
    result,
    running,
    search,
    settings,
    sizing,
)
from labcoat.slack.listeners.call import Call, Submission, Target

VERBS: Mapping[str, Callable[[Call, Target], None]] = {
    "show": hypothesis.show,
    "edit": editing.open_edit_form,
    "close": hypothesis.open_close_form,
    "pivot": ending.open_pivot_form,
    "reopen": ending.open_reopen_form,
    "ship": hypothesis.open_ship_form,
    "prototype": prototype.open_prototype_form,
    "evidence": prototype.open_evidence_form,
    "cap": prototype.open_cap_form,
    "plan": experiment.open_plan_form,
    "adopt": experiment.open_adopt_form,
    "predict": prediction.open_prediction_form,
    "start": experiment.open_start_form,
    "drop": running.open_drop_form,
    "fixed": running.open_fixed_form,
    "stop": experiment.open_stop_form,
    "cancel": experiment.open_cancel_form,
    "again": experiment.run_again,
    "record": result.record,
    "result": result.show_result,
    "ask": request.open_ask_form,
    "decide": request.show_request,
    "take": people.take,
    "handover": people.open_handover_form,
}
"""Verbs about one hypothesis or experiment: commands and buttons."""

BUTTON_VERBS: Mapping[str, Callable[[Call, Target], None]] = {
    **VERBS,
    "correct": result.correct,
    "correct_file": result.correct_file,
    "follow": filing.follow,
    "unfollow": filing.unfollow,
    "approve": request.open_decision_form("approve"),
    "send_back": request.open_decision_form("send_back"),
    "decline": request.open_decision_form("decline"),
    "ask_other": request.open_ask_other_form,
    "withdraw": request.open_withdraw_form,
    "snooze": nudge.snooze,
}
"""Also those that only a button in its place can mean."""

ALONE: Mapping[str, Callable[[Call, str], None]] = {
    "file": filing.open_file_form,
    "list": hypothesis.show_list,
    "menu": hypothesis.show_menu,
    "digest": digest.show_digest,
    "export": exporting.ask,
    "need": need.show_needs,
    "import": importing.open_import_form,
    "home": home.turn_page,
    "redeliver": home.try_again,
    "search": search.search,
    "size": sizing.size,
    "help": lists.show_help,
    "settings": settings.open_settings_form,
    "away": people.open_away_form,
    "back": people.come_back,
}
"""Verbs about nothing in particular, with what follows them; "file" and "menu" are typed as a bare command."""

FORMS: Mapping[str, Callable[[Submission], None]] = {
    "file": filing.submit_file,
    "edit": editing.submit_edit,
    "close": hypothesis.submit_close,
    "pivot": ending.submit_pivot,
    "reopen": ending.submit_reopen,
    "ship": hypothesis.submit_ship,
    "prototype": prototype.submit_prototype,
    "evidence": prototype.submit_evidence,
    "cap": prototype.submit_cap,
    "need": need.submit_need,
    "import": importing.submit_import,
    "search": search.submit_search,
    "plan": experiment.submit_plan,
    "adopt": experiment.submit_adopt,
    "predict": prediction.submit_prediction,
    "size": sizing.submit_size,
    "start": experiment.submit_start,
    "drop": running.submit_drop,
    "fixed": running.submit_fixed,
    "stop": experiment.submit_stop,
    "cancel": experiment.submit_cancel,
    "record": result.submit_record,
    "ask": request.submit_ask,
    "approve": request.submit_approve,
    "send_back": request.submit_send_back,
    "decline": request.submit_decline,
    "withdraw": request.submit_withdraw,
    "handover": people.submit_handover,
    "away": people.submit_away,
    "settings": settings.submit_settings,
    "snooze": nudge.submit_snooze,
}
"""What submitting each form does, by its callback id."""

SHORTCUTS: Mapping[str, Callable[[Call, dict[str, Any]], None]] = {
    "new_hypothesis": filing.open_from_nowhere,
    "turn_into_hypothesis": filing.open_from_message,
}
"""What each shortcut of manifest.yml does, given Slack's payload."""
