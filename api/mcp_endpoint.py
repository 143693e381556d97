"""``/mcp``: the tools over the Model Context Protocol, streamable HTTP. It keeps no sessions: each POST is answered."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.types import Receive, Scope, Send

from api import __version__
from api.context import Context
from api.mcp_tools import TOOLS

PATH = "/mcp"

_BY_NAME = {tool.name: tool for tool in TOOLS}
_INSTRUCTIONS = """
Headrace explores accelerator designs for a trained model: every candidate is RTL, simulated and compared word for word.
Upload the model to POST /v1/models of this server first; its id goes into the job. Follow a job with job_status.
"""


class McpEndpoint:
    """An ASGI application for POST requests; answers while ``running``."""

    def __init__(self) -> None:
        self._manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def running(self, context: Context) -> AsyncIterator[None]:
        """Serve until the block ends."""
        # The guard around the application has checked host, origin and token; the limit is the one of JSON bodies.
        self._manager = StreamableHTTPSessionManager(
            _server(context), json_response=True, stateless=True, max_request_body_size=context.settings.max_json_bytes
        )
        try:
            async with self._manager.run():
                yield
        finally:
            self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        assert self._manager is not None
        await self._manager.handle_request(scope, receive, send)


def _server(context: Context) -> Server[dict[str, Any]]:
    tools = [
        types.Tool(name=tool.name, description=tool.description, input_schema=tool.arguments.model_json_schema())
        for tool in TOOLS
    ]

    async def list_tools(_: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        _: ServerRequestContext[dict[str, Any]], asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if asked.name not in _BY_NAME:
            return _result({"detail": f"There is no tool {asked.name[:80]!r}: {', '.join(_BY_NAME)}."}, refused=True)
        # The store and the parsing programs block.
        answer, refused = await anyio.to_thread.run_sync(_BY_NAME[asked.name].call, context, asked.arguments or {})
        return _result(answer, refused)

    return Server(
        "headrace",
        version=__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _result(answer: dict[str, Any], refused: bool) -> types.CallToolResult:
    text = types.TextContent(type="text", text=json.dumps(answer))
    return types.CallToolResult(content=[text], structured_content=answer, is_error=refused)
