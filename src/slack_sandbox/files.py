"""Uploaded files, and Slack's habit of looking at them a while before it knows what they are."""

import mimetypes
import secrets
from dataclasses import dataclass, field

from slack_sandbox.wire import Json, SlackError


@dataclass(slots=True)
class File:
    """A file; `looks_left` counts the answers in which Slack has not yet read its type."""

    id: str
    name: str
    title: str
    user: str
    created: int
    upload_secret: str
    content: bytes | None = None
    is_complete: bool = False
    looks_left: int = 1
    shared_in: list[str] = field(default_factory=list)

    @property
    def mimetype(self) -> str:
        """The type, or nothing while Slack is still scanning."""
        if self.looks_left > 0:
            return ""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class Files:
    """All files of the workspace."""

    def __init__(self) -> None:
        self._by_id: dict[str, File] = {}

    def reserve(self, name: str, *, user: str, created: int) -> File:
        """Return a file with a place to upload its content to."""
        file_id = "F" + secrets.token_hex(5).upper()
        file = File(
            id=file_id, name=name, title=name, user=user, created=created, upload_secret=secrets.token_urlsafe(12)
        )
        self._by_id[file_id] = file
        return file

    def find(self, file_id: str) -> File | None:
        """Return the file with this id, complete or not."""
        return self._by_id.get(file_id)

    def get(self, file_id: str) -> File:
        """Return a complete file; raises SlackError when there is none."""
        file = self._by_id.get(file_id)
        if file is None or not file.is_complete:
            raise SlackError("file_not_found")
        return file

    def is_shown(self, file_id: str) -> bool:
        """Return whether an image block may name this file: Slack refuses one it has not scanned yet."""
        file = self._by_id.get(file_id)
        return file is not None and file.is_complete and file.mimetype.startswith("image/")


def _places(file: File) -> Json:
    """Where it is shown, by what an id begins with: docs.slack.dev/reference/objects/file-object."""
    kinds = {"channels": "C", "groups": "G", "ims": "D"}
    return {key: [one for one in file.shared_in if one.startswith(letter)] for key, letter in kinds.items()}


def file_object(file: File, *, base_url: str, team_id: str) -> Json:
    """Return the file as the Web API shows it."""
    address = f"{base_url}/files-pri/{team_id}-{file.id}/{file.name}"
    extension = file.name.rpartition(".")[2].lower()
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": extension if file.mimetype else "",
        "pretty_type": extension.upper() if file.mimetype else "",
        "user": file.user,
        "size": len(file.content or b""),
        "mode": "hosted",
        "file_access": "visible",
        "is_external": False,
        "is_public": False,
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        **_places(file),
        "shares": {},
    }
