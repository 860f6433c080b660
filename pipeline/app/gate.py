"""What of Gradio's server is open: what the page needs, to the page alone. It fetches nothing from other hosts."""

import re

from gradio import processing_utils
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API = "startup-events|upload(_progress)?|queue/(join|data)|run/predict|cancel|reset|heartbeat/[^/]+|file=/[^/].*"
_PAGE = r"config|theme\.css|favicon\.ico|robots\.txt|assets/.*|static/.*"
_OPEN = re.compile(rf"/|/({_PAGE})|/gradio_api/({_API})", re.DOTALL)
"""Routes; `file=` takes addresses besides paths, which Gradio would fetch and pass on."""

_POLICY = b"default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; frame-ancestors 'self'"
"""Browsers load and send nothing from or to other hosts."""


class _Gate:
    """Answers 404 to what is not open."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", _POLICY)]
            await send(message)

        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif _OPEN.fullmatch(scope["path"].removeprefix(scope.get("root_path", ""))):
            await self.app(scope, receive, with_policy)
        else:
            await PlainTextResponse("Not found", 404)(scope, receive, send)


def gate() -> Middleware:
    """For the app that Gradio makes; from then on Gradio does not download what a request names by its address."""

    async def refuse(url: str) -> None:
        raise ValueError(f"{url} is not an upload")

    processing_utils.async_ssrf_protected_get = refuse  # type: ignore[assignment]
    return Middleware(_Gate)
