"""Gmail's endpoints: `/google/gmail/v1/users/{user}/...`."""

from __future__ import annotations

import base64
import binascii
from itertools import count
from typing import TYPE_CHECKING, Any

from sandbox.clock import to_milliseconds
from sandbox.context import PAGING_FAULT_KEY
from sandbox.gladly.timeline import SECOND
from sandbox.google.grants import Grant
from sandbox.google.mail.letters import LABELS
from sandbox.google.mail.mailbox import Mail, MailboxWorld
from sandbox.google.mail.mime import encode, write_payload
from sandbox.google.mail.search import read_query
from sandbox.google.problems import GoogleProblemError
from sandbox.google.settings import GMAIL_METADATA, GMAIL_READONLY, GoogleSettings
from sandbox.rate_limit import RateLimiter
from sandbox.schema_changes import change_record
from sandbox.seeded import seed_number

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.context import SandboxContext

_MINUTE = 60.0
_DEFAULT_PAGE, _LARGEST_PAGE = 100, 500
_UNITS = {"get": 20, "attachment": 20, "list": 5, "labels": 1, "profile": 1}
_HIDDEN = frozenset({"SPAM", "TRASH"})


class Gmail:
    """The mailboxes of the sandbox.

    Args:
        context: The sandbox.
        settings: What they allow.
        mailboxes: By address.
    """

    def __init__(self, context: SandboxContext, settings: GoogleSettings, mailboxes: dict[str, MailboxWorld]) -> None:
        self._context = context
        self._settings = settings
        self._mailboxes = mailboxes
        self._limits = {address: RateLimiter(settings.units_per_minute, per_seconds=_MINUTE) for address in mailboxes}
        self._numbers = count(1)

    def reset(self) -> None:
        """Forgets used-up quotas."""
        for limit in self._limits.values():
            limit.reset()

    def profile(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers `profile`."""
        mailbox = self._mailbox(request, grant, "profile")
        total = mailbox.count(self._now())
        history = str(self._now() // SECOND)
        return {
            "emailAddress": mailbox.address,
            "messagesTotal": total,
            "threadsTotal": total,
            "historyId": history,
        }

    def labels(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers `labels`."""
        self._mailbox(request, grant, "labels")
        kinds = {label: "user" if label.startswith("Label_") else "system" for label in LABELS}
        return {"labels": [{"id": label, "name": name, "type": kinds[label]} for label, name in LABELS.items()]}

    def messages(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers `messages`: ids alone, newest first."""
        mailbox = self._mailbox(request, grant, "list")
        asked = request.query_params
        if "q" in asked and GMAIL_READONLY not in grant.scopes:
            raise GoogleProblemError(403, "Metadata scope does not support 'q' parameter")
        found = self._found(request, mailbox)
        size = min(_number(asked.get("maxResults"), _DEFAULT_PAGE), _LARGEST_PAGE, self._settings.most_per_page)
        start = _read_page_token(asked.get("pageToken"))
        fault = request.scope.get(PAGING_FAULT_KEY, "")
        answer: dict[str, Any] = {"resultSizeEstimate": min(len(found), 201)}
        if page := found[start : start + size]:
            answer["messages"] = [{"id": mail.id, "threadId": mail.thread_id} for mail in page]
        if start + size < len(found) and fault != "missing_page_token":
            answer["nextPageToken"] = _page_token(start if fault == "repeated_page_token" else start + size)
        return answer

    def message(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers one message, in the format that is asked for."""
        mailbox = self._mailbox(request, grant, "get")
        mail = self._mail(request, mailbox)
        asked_format = request.query_params.get("format", "full").lower()
        if asked_format not in {"full", "metadata", "minimal"}:
            raise GoogleProblemError(400, f"Invalid value at 'format': {asked_format}")
        if asked_format == "full" and GMAIL_READONLY not in grant.scopes:
            raise GoogleProblemError(403, "Metadata scope doesn't allow format FULL")
        answer: dict[str, Any] = {
            "id": mail.id,
            "threadId": mail.thread_id,
            "labelIds": list(mail.labels),
            "snippet": mail.letter.snippet,
            "historyId": str(mail.at // SECOND),
            "internalDate": str(mail.at),
            "sizeEstimate": 2_000 + seed_number(mail.id) % 60_000,
        }
        if asked_format == "full":
            answer["payload"] = write_payload(
                mail.letter.content(), mail.headers, lambda part: self._part_id(mail, part)
            )
        elif asked_format == "metadata":
            wanted = {name.lower() for name in request.query_params.getlist("metadataHeaders")}
            headers = [one for one in mail.headers if not wanted or one["name"].lower() in wanted]
            answer["payload"] = {"mimeType": mail.letter.content().mime_type, "headers": headers}
        changes = self._context.faults.schema_changes(request.scope["path"], self._context.clock.now())
        return change_record(answer, changes)

    def attachment(self, request: Request, grant: Grant) -> dict[str, Any]:
        """Answers an attachment's bytes."""
        mailbox = self._mailbox(request, grant, "attachment")
        if GMAIL_READONLY not in grant.scopes:
            raise GoogleProblemError(403, "Metadata scope doesn't allow attachments")
        mail = self._mail(request, mailbox)
        try:
            stated = base64.urlsafe_b64decode(request.path_params["attachment"].encode()).decode()
            mail_id, part_id, _ = stated.split(":")
        except (binascii.Error, ValueError) as error:
            raise GoogleProblemError(400, "Invalid attachment token") from error
        part = next((part for place, part in mail.letter.content().walk() if place == part_id), None)
        if mail_id != mail.id or part is None:
            raise GoogleProblemError(400, "Invalid attachment token")
        return {"size": len(part.content), "data": encode(part.content)}

    def _found(self, request: Request, mailbox: MailboxWorld) -> list[Mail]:
        asked = request.query_params
        query = read_query(asked.get("q", ""), now=self._now(), slack_seconds=self._settings.search_slack_seconds)
        labels = set(asked.getlist("labelIds"))
        unknown = labels - set(LABELS)
        if unknown:
            raise GoogleProblemError(400, f"Invalid label: {min(unknown)}")
        shown = asked.get("includeSpamTrash") == "true" or bool(labels & _HIDDEN)
        late = self._context.faults.late_rows(request.scope["path"], self._context.clock.now())
        return [
            mail
            for mail in mailbox.arrived(query.start, query.end)
            if query.matches(mail)
            and labels <= set(mail.labels)
            and (shown or _HIDDEN.isdisjoint(mail.labels))
            and not late.hides(mail.at, mail.id)
        ]

    def _mailbox(self, request: Request, grant: Grant, call: str) -> MailboxWorld:
        if not grant.scopes & {GMAIL_READONLY, GMAIL_METADATA}:
            raise GoogleProblemError(
                403,
                "Request had insufficient authentication scopes.",
                reason="insufficientPermissions",
                detail="ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            )
        if grant.subject is None:
            raise GoogleProblemError(
                400, "Precondition check failed.", reason="failedPrecondition", status="FAILED_PRECONDITION"
            )
        user = request.path_params["user"]
        if user not in {"me", grant.subject}:
            raise GoogleProblemError(403, f"Delegation denied for {grant.subject}")
        if not self._limits[grant.subject].try_acquire(_UNITS[call]):
            # Google says a used-up quota with 403 as well as with 429.
            raise GoogleProblemError(
                403,
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'",
                reason="rateLimitExceeded",
            )
        return self._mailboxes[grant.subject]

    def _mail(self, request: Request, mailbox: MailboxWorld) -> Mail:
        mail = mailbox.find(request.path_params["message"], self._now())
        if mail is None:
            raise GoogleProblemError(404, "Requested entity was not found.")
        return mail

    def _part_id(self, mail: Mail, part_id: str) -> str:
        """Returns an id for a part's bytes, another one each time."""
        return base64.urlsafe_b64encode(f"{mail.id}:{part_id}:{next(self._numbers)}".encode()).decode()

    def _now(self) -> int:
        return to_milliseconds(self._context.clock.now())


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or not int(text):
        raise GoogleProblemError(400, "Invalid value for maxResults")
    return int(text)


def _page_token(start: int) -> str:
    return str(start * 7_919 + 13)


def _read_page_token(token: str | None) -> int:
    if not token:
        return 0
    if not token.isdigit() or (int(token) - 13) % 7_919:
        raise GoogleProblemError(400, "Invalid pageToken")
    return (int(token) - 13) // 7_919
