"""The HTTP face of the emulated Google: `/google/token`, `/google/gmail/v1/...` and `/google/v4/spreadsheets/...`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from starlette.routing import Route

from sandbox.context import SandboxContext, Service
from sandbox.gladly.settings import GLADLY_ORG
from sandbox.gladly.world import World
from sandbox.google.grants import Grant, TokenDesk
from sandbox.google.keys import key_file
from sandbox.google.mail.api import Gmail
from sandbox.google.mail.mailbox import MailboxWorld
from sandbox.google.problems import GoogleProblemError, describe_error
from sandbox.google.settings import MAILBOXES, ODD_SPREADSHEET, ROSTER_SPREADSHEET
from sandbox.google.sheets.api import Sheets
from sandbox.google.sheets.book import Book
from sandbox.google.sheets.odd_book import odd_book
from sandbox.google.sheets.roster_book import roster_book

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

Answer = Callable[["Request", Grant], dict[str, Any]]


class _Google:
    def __init__(self, context: SandboxContext) -> None:
        self._context = context
        settings = context.settings.google
        self._world = World(GLADLY_ORG, seed=context.settings.seed, settings=context.settings.gladly)
        self._desk = TokenDesk(context.tokens, settings)
        mailboxes = {
            address: MailboxWorld(address, seed=context.settings.seed, settings=settings, contact_centre=self._world)
            for address in MAILBOXES
        }
        self.gmail = Gmail(context, settings, mailboxes)
        self.sheets = Sheets(context, settings, self._find_book)
        context.on_reset(self._reset)

    async def token(self, request: Request) -> Response:
        """Answers `POST /google/token`."""
        now = self._context.clock.now()
        status, answer = self._desk.answer(await request.body(), own_url=str(request.url), now=now)
        return _json(answer, status)

    async def key(self, request: Request) -> Response:
        """Answers the service account's key file, which Google gives out once and by hand."""
        return _json(key_file(str(request.url).replace("service-account.json", "token")))

    def guarded(self, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        """Returns an endpoint that only requests with a token reach."""

        async def endpoint(request: Request) -> Response:
            grant = self._desk.grant_of(request.headers.get("authorization", ""), self._context.clock.now())
            if grant is None:
                return _refused(GoogleProblemError(401, "Request had invalid authentication credentials."))
            try:
                return _json(answer(request, grant))
            except GoogleProblemError as problem:
                return _refused(problem)

        return endpoint

    def _find_book(self, spreadsheet: str) -> Book | None:
        if spreadsheet == ROSTER_SPREADSHEET:
            return roster_book(self._world.roster, self._context.clock.now().astimezone(self._world.zone).date())
        return odd_book() if spreadsheet == ODD_SPREADSHEET else None

    def _reset(self) -> None:
        self._desk.reset()
        self.gmail.reset()
        self.sheets.reset()


def build_routes(context: SandboxContext) -> Sequence[BaseRoute]:
    """Returns the routes below `/google`."""
    service = _Google(context)
    gmail, sheets = service.gmail, service.sheets
    user, book = "/gmail/v1/users/{user}", "/v4/spreadsheets/{spreadsheet}"
    answers: dict[str, Answer] = {
        f"{user}/profile": gmail.profile,
        f"{user}/labels": gmail.labels,
        f"{user}/messages": gmail.messages,
        f"{user}/messages/{{message}}": gmail.message,
        f"{user}/messages/{{message}}/attachments/{{attachment}}": gmail.attachment,
        f"{book}/values:batchGet": sheets.batch_get,
        f"{book}/values/{{range:path}}": sheets.values,
        book: sheets.get,
    }
    return [
        Route("/token", service.token, methods=["POST"]),
        Route("/service-account.json", service.key),
        *(Route(path, service.guarded(answer)) for path, answer in answers.items()),
    ]


def _refused(problem: GoogleProblemError) -> Response:
    return Response(problem.body(), problem.code, media_type="application/json")


def _json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


GOOGLE = Service("google", "/google", build_routes, describe_error)
