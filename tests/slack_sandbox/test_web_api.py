"""Reading through Slack's Web API: history, people, files, Home. Sources: docs.slack.dev/reference/methods."""

import httpx
from slack_sdk import WebClient

from sandbox_parts import actions, button, plain, refusal, section, web_client, workspace_with
from slack_sandbox.client import Person
from slack_sandbox.serving import running_sandbox

CHANNEL = "CSEARCH"


def test_history_pages_backwards_with_a_cursor(slack: WebClient) -> None:
    # conversations.history, "Pagination by cursor"
    for number in range(5):
        slack.chat_postMessage(channel=CHANNEL, text=str(number))

    first = slack.conversations_history(channel=CHANNEL, limit=3)
    second = slack.conversations_history(channel=CHANNEL, limit=3, cursor=first["response_metadata"]["next_cursor"])

    assert [message["text"] for message in first["messages"]] == ["4", "3", "2"]
    assert [message["text"] for message in second["messages"]] == ["1", "0"]
    assert (first["has_more"], second["has_more"]) == (True, False)


def test_oldest_and_latest_are_exclusive_unless_inclusive(slack: WebClient) -> None:
    # conversations.history, "Pagination by time"
    stamps = [slack.chat_postMessage(channel=CHANNEL, text=str(number))["ts"] for number in range(3)]
    between = {"channel": CHANNEL, "oldest": stamps[0], "latest": stamps[2]}

    assert [m["text"] for m in slack.conversations_history(**between)["messages"]] == ["1"]
    assert [m["text"] for m in slack.conversations_history(**between, inclusive=True)["messages"]] == ["2", "1", "0"]


def test_history_where_the_bot_is_not_a_member_is_refused(slack: WebClient) -> None:
    # conversations.history, errors
    assert refusal(slack.conversations_history, channel="CGENERAL")["error"] == "not_in_channel"


def test_ephemeral_message_is_seen_by_one_person_only(slack: WebClient, ana: Person) -> None:
    # chat.postEphemeral
    slack.chat_postEphemeral(channel=CHANNEL, user="UANA", text="Just you")

    assert [message["text"] for message in ana.messages(CHANNEL)] == ["Just you"]
    assert ana.messages(CHANNEL)[0]["is_ephemeral"]
    assert ana.client.person("UBEN").messages(CHANNEL) == []
    assert slack.conversations_history(channel=CHANNEL)["messages"] == []


def test_ephemeral_message_to_someone_outside_is_refused(slack: WebClient) -> None:
    # chat.postEphemeral, errors
    answer = refusal(slack.chat_postEphemeral, channel=CHANNEL, user="UNONE", text="Hi")

    assert answer["error"] == "user_not_in_channel"


def test_ephemeral_message_cannot_be_updated(slack: WebClient) -> None:
    # docs.slack.dev/messaging, "Ephemeral messages": no chat.update
    ts = slack.chat_postEphemeral(channel=CHANNEL, user="UANA", text="Hi")["message_ts"]

    assert refusal(slack.chat_update, channel=CHANNEL, ts=ts, text="x")["error"] == "message_not_found"


def test_permalink_of_a_reply_names_its_thread(slack: WebClient) -> None:
    # chat.getPermalink
    parent = slack.chat_postMessage(channel=CHANNEL, text="Parent")["ts"]
    reply = slack.chat_postMessage(channel=CHANNEL, text="Reply", thread_ts=parent)["ts"]

    link = slack.chat_getPermalink(channel=CHANNEL, message_ts=reply)["permalink"]

    assert f"/archives/{CHANNEL}/p{reply.replace('.', '')}" in link
    assert f"thread_ts={parent}" in link
    assert refusal(slack.chat_getPermalink, channel=CHANNEL, message_ts="1.1")["error"] == "message_not_found"


def test_deleted_person_cannot_be_written_to() -> None:
    # conversations.open, errors
    workspace = workspace_with(scopes=("im:write", "chat:write"))
    gone = tuple(user.model_copy(update={"deleted": user.id == "UBEN"}) for user in workspace.users)
    with running_sandbox(workspace.model_copy(update={"users": gone})) as sandbox:
        assert refusal(web_client(sandbox).conversations_open, users="UBEN")["error"] == "user_disabled"


def test_person_has_zone_and_role(slack: WebClient) -> None:
    # users.info
    ana, gia = slack.users_info(user="UANA")["user"], slack.users_info(user="UGIA")["user"]

    assert (ana["tz"], ana["is_admin"], ana["is_owner"]) == ("Europe/Berlin", True, True)
    assert ana["tz_offset"] in (3600, 7200)
    assert (gia["is_restricted"], gia["is_admin"]) == (True, False)
    assert refusal(slack.users_info, user="UNONE")["error"] == "user_not_found"


def test_lists_end_with_an_empty_cursor(slack: WebClient) -> None:
    # docs.slack.dev/apis/web-api/pagination
    seen = [user["id"] for page in slack.users_list(limit=2) for user in page["members"]]

    assert seen == ["UANA", "UBEN", "ULENA", "UOMAR", "UGIA", "UBOT"]


def test_conversation_says_whether_the_bot_is_in(slack: WebClient) -> None:
    # conversations.info, conversations.members, conversations.list
    listed = {channel["id"]: channel["is_member"] for channel in slack.conversations_list()["channels"]}

    assert listed == {"CSEARCH": True, "CGENERAL": False}
    assert slack.conversations_info(channel=CHANNEL)["channel"]["name"] == "search-experiments"
    assert "UANA" in slack.conversations_members(channel=CHANNEL)["members"]


def test_file_has_no_type_until_slack_has_scanned_it(slack: WebClient) -> None:
    # node-slack-sdk issue 2040
    uploaded = slack.files_upload_v2(content=b"png", filename="chart.png")["file"]

    looks = [slack.files_info(file=uploaded["id"])["file"]["mimetype"] for _ in range(2)]

    assert (uploaded["mimetype"], looks) == ("", ["", "image/png"])


def test_unscanned_file_in_an_image_block_is_refused(slack: WebClient) -> None:
    # java-slack-sdk issue 1335: invalid_blocks at slack_file
    file_id = slack.files_upload_v2(content=b"png", filename="chart.png")["file"]["id"]
    block = {"type": "image", "alt_text": "A chart", "slack_file": {"id": file_id}}

    answer = refusal(slack.chat_postMessage, channel=CHANNEL, text="Chart", blocks=[block])
    for _ in range(2):
        slack.files_info(file=file_id)

    assert "json-pointer:/blocks/0/slack_file" in answer["response_metadata"]["messages"][0]
    assert slack.chat_postMessage(channel=CHANNEL, text="Chart", blocks=[block])["ok"]


def test_file_is_downloaded_only_with_the_token(slack: WebClient, ana: Person) -> None:
    # docs.slack.dev/reference/objects/file-object, url_private
    file_id = slack.files_upload_v2(content=b"a,b", filename="totals.csv")["file"]["id"]
    address = slack.files_info(file=file_id)["file"]["url_private"]

    assert httpx.get(address, verify=False).status_code == 403
    assert httpx.get(address, headers={"Authorization": f"Bearer {slack.token}"}, verify=False).content == b"a,b"


def test_file_knows_where_it_is_shown(slack: WebClient) -> None:
    # docs.slack.dev/reference/objects/file-object, channels and ims
    direct = slack.conversations_open(users="UANA")["channel"]["id"]
    file_id = slack.files_upload_v2(content=b"a,b", filename="totals.csv", channel=direct)["file"]["id"]

    file = slack.files_info(file=file_id)["file"]

    assert (file["ims"], file["channels"]) == ([direct], [])


def test_file_is_shared_with_a_conversation_and_with_no_person_s_id(slack: WebClient) -> None:
    # bolt-js issue 2115: channel_id takes ids that begin with C, G, D and Z
    place = slack.files_getUploadURLExternal(filename="totals.csv", length=3)
    httpx.post(place["upload_url"], content=b"a,b", verify=False)
    files = [{"id": place["file_id"]}]

    answer = refusal(slack.files_completeUploadExternal, files=files, channel_id="UANA")

    assert answer["error"] == "invalid_arguments"
    assert "json-pointer:/channel_id" in answer["response_metadata"]["messages"][0]


def test_upload_of_nothing_is_refused(slack: WebClient) -> None:
    # files.getUploadURLExternal, errors: missing_argument "when the length provided is 0"
    assert refusal(slack.files_getUploadURLExternal, filename="totals.csv", length=0)["error"] == "missing_argument"


def test_same_reaction_twice_is_refused(slack: WebClient) -> None:
    # reactions.add, errors
    ts = slack.chat_postMessage(channel=CHANNEL, text="Hi")["ts"]
    slack.reactions_add(channel=CHANNEL, timestamp=ts, name="tada")

    answer = refusal(slack.reactions_add, channel=CHANNEL, timestamp=ts, name="tada")

    assert answer["error"] == "already_reacted"


def test_home_with_a_stale_hash_is_refused(slack: WebClient, ana: Person) -> None:
    # views.publish, errors
    home = {"type": "home", "blocks": [section("One"), actions(button())]}
    first = slack.views_publish(user_id="UANA", view=home)["view"]
    slack.views_publish(user_id="UANA", view=home, hash=first["hash"])

    answer = refusal(slack.views_publish, user_id="UANA", view=home, hash=first["hash"])

    assert answer["error"] == "hash_conflict"
    assert (ana.home() or {})["blocks"][0]["text"]["text"] == "One"


def test_home_takes_no_title(slack: WebClient) -> None:
    # docs.slack.dev/reference/views/home-tab-views
    home = {"type": "home", "title": plain("Home"), "blocks": []}

    assert refusal(slack.views_publish, user_id="UANA", view=home)["error"] == "invalid_arguments"
