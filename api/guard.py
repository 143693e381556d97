"""What every request must pass before routing: Host allow-list, same origin, bearer token, a body that arrives."""

from __future__ import annotations

import asyncio
import hmac
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_pages import STYLE_SOURCE, page, prefers_page
from api.errors import MEDIA_TYPE, Problem, from_http
from api.pages import is_page
from api.settings import Settings

_PROBES = frozenset({"/healthz", "/readyz"})  # an orchestrator has neither our name nor our token
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_BODY_SECONDS = 30.0


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._token = settings.token
        bound = {settings.host} if settings.host not in ("0.0.0.0", "::") else set()
        self._hosts = _LOOPBACK_NAMES | bound | set(settings.allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem document, or pass the request on with security headers added to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        problem = self._refusal(scope)
        if problem is not None:
            await problem.response()(scope, receive, _finished(scope, send))
            return
        await self._app(scope, _timed(receive), _finished(scope, send))

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        path, method = scope["path"], scope["method"]
        if "\x00" in path:
            return Problem("not-found", "No resource has NUL in its name.")
        if b"%00" in scope["query_string"]:
            return Problem("bad-request", "A parameter of the query holds NUL, which no database can: remove it.")
        host = _hostname(headers.get("host", ""))
        if host not in self._hosts and not (path in _PROBES and method == "GET"):
            return Problem(
                "unknown-host", f"This server does not answer for host {host!r}: see HEADRACE_ALLOWED_HOSTS."
            )
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
        if method not in ("GET", "HEAD", "OPTIONS") and (foreign or headers.get("sec-fetch-site") == "cross-site"):
            return Problem("cross-origin", "Pages of other origins may not change anything here.")
        # The dashboard's page and scripts hold no data; they ask for the token and send it with what they read.
        if self._token is None or path in _PROBES or is_page(path) or self._authorised(headers):
            return None
        detail = "Send the header Authorization: Bearer <token>."
        return Problem("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})

    def _authorised(self, headers: Headers) -> bool:
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        given = credentials.strip().encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(given, (self._token or "").encode())


def _hostname(host: str) -> str:
    """The name of a Host header without its port, in lower case."""
    try:
        return urlsplit("//" + host).hostname or ""
    except ValueError:
        return ""


def _timed(receive: Receive) -> Receive:
    """Refuse a body that stops arriving: a slow sender would otherwise hold a connection for ever."""
    complete = False

    async def timed() -> Message:
        nonlocal complete
        if complete:  # what comes next is the disconnect, which may take as long as the answer
            return await receive()
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            # An HTTPException, because FastAPI turns any other exception in a body into a 400.
            detail = f"No part of the body came for {_BODY_SECONDS:.0f} s: send it again."
            raise HTTPException(408, detail, headers={"Connection": "close"}) from None
        complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    return timed


def _finished(scope: Scope, send: Send) -> Send:
    """Add security headers to every answer, and give every error the form that its reader can use.

    The framework's plain-text errors become problem documents; a browser gets problem documents as pages.
    """
    accept = Headers(scope=scope).getlist("accept")
    error: Message | None = None
    body = b""

    async def finished(message: Message) -> None:
        nonlocal error, body
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if message["status"] >= 400 and kind.startswith(("text/plain", MEDIA_TYPE)):
                error = message  # held back until its body is whole
            else:
                await send({**message, "headers": [*message["headers"], *_SECURITY_HEADERS]})
        elif error is None:
            await send(message)
        else:
            body += message.get("body", b"")
            if not message.get("more_body", False):
                for part in _answer(error, body, as_page=prefers_page(accept)):
                    await send(part)

    return finished


def _answer(start: Message, body: bytes, as_page: bool) -> list[Message]:
    """The messages of an error: a problem document, or a page."""
    headers = MutableHeaders(raw=list(start["headers"]))
    if not headers["content-type"].startswith(MEDIA_TYPE):
        response = from_http(HTTPException(start["status"])).response()
        headers, body = MutableHeaders(raw=list(response.raw_headers)), bytes(response.body)
    headers["vary"] = "accept"
    security = _SECURITY_HEADERS
    if as_page:
        body, security = page(body), _PAGE_HEADERS
        headers["content-type"] = "text/html; charset=utf-8"
    headers["content-length"] = str(len(body))
    return [
        {**start, "headers": [*headers.raw, *security]},
        {"type": "http.response.body", "body": body},
    ]


def _security_headers(styles: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (
            b"content-security-policy",
            b"default-src 'none'; style-src " + styles + b"; font-src 'self'; img-src 'self'; connect-src 'self'; "
            b"script-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
    ]


_SECURITY_HEADERS = _security_headers(b"'self'")
_PAGE_HEADERS = _security_headers(STYLE_SOURCE.encode())
