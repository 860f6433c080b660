"""Limits Gradio's server: an allowlist of routes, a request limit per client, and no downloads by the server."""

import re
from importlib.metadata import metadata

from gradio import processing_utils
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.app.rate_limit import RequestLimit

_API = "startup-events|upload(_progress)?|queue/(join|data)|run/predict|cancel|reset|heartbeat/[^/]+|file=/[^/].*"
_PAGE = r"config|theme\.css|favicon\.ico|robots\.txt|assets/.*|static/.*"
_OPEN = re.compile(rf"/|/({_PAGE})|/gradio_api/({_API})", re.DOTALL)
"""The allowed routes. `file=` allows paths only: Gradio would fetch an address and pass its content on."""

_COUNTED = re.compile(r"/gradio_api/(upload|queue/join)")
"""Routes whose requests count towards the limit of the client, because they cost the server work."""

README = "readme"
"""Route of the project's README as plain text, relative to the page."""

_POLICY = b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
"""Keeps browsers from loading from other hosts, and from sending to them."""


class _Allowlist:
    """Answers 404 for routes that are not allowed, and 429 for a client above its limit."""

    def __init__(self, app: ASGIApp, limit: RequestLimit) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", _POLICY)]
            await send(message)

        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        answer = self._answer(scope)
        if answer is None:
            await self.app(scope, receive, with_policy)
        else:
            await answer(scope, receive, with_policy)

    def _answer(self, scope: Scope) -> Response | None:
        """Return the answer, or None if Gradio is to answer."""
        route = scope["path"].removeprefix(scope.get("root_path", ""))
        if route == f"/{README}":
            return PlainTextResponse(metadata("atvgnet").json["description"])
        if not _OPEN.fullmatch(route):
            return PlainTextResponse("Not found", 404)
        client = scope.get("client")
        refusal = self.limit.refusal(client[0]) if client and _COUNTED.fullmatch(route) else None
        return JSONResponse({"detail": refusal}, 429) if refusal else None


def allowlist(limit: RequestLimit) -> Middleware:
    """Return the middleware for Gradio's app. It also stops Gradio from downloading addresses in requests."""

    async def refuse(url: str) -> None:
        raise ValueError(f"{url} is not an upload")

    processing_utils.async_ssrf_protected_get = refuse  # type: ignore[assignment]
    return Middleware(_Allowlist, limit=limit)
