"""The application: the only place where the parts are wired."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route
from starlette.types import ASGIApp

from api import __version__, errors, openapi, pages
from api.context import Context
from api.guard import Guard
from api.mcp_endpoint import PATH, McpEndpoint
from api.metrics import MeasureRequests, Metrics
from api.parsing import Parser
from api.routes import events, exports, jobs, meta, points, sweeps, trials, uploads
from api.settings import Settings, from_environment
from db.artefacts import Artefacts
from db.store import Store

# Multipart framing and the name field beside the file itself.
_FRAMING_BYTES = 64 * 1024


class _Application(FastAPI):
    """The application inside its guard.

    ``add_middleware`` would put the guard inside FastAPI's own error and body-limit layers, whose plain-text answers
    it has to see.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """Every answer is counted, also those of the guard."""
        context: Context = self.state.context
        return MeasureRequests(Guard(super().build_middleware_stack(), context.settings), context.metrics)

    def openapi(self) -> dict[str, Any]:
        """The description of the whole contract, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = openapi.complete(super().openapi())
        return self.openapi_schema


def create_app(settings: Settings | None = None) -> FastAPI:
    """The ASGI application.

    Args:
        settings: by default those of the environment, which makes this function a factory for ``uvicorn --factory``.

    Raises:
        SettingsError: the environment asks for something the API refuses to run with.
    """
    settings = settings or from_environment()
    store = Store(settings.database_url)
    metrics = Metrics(store)

    tools = McpEndpoint()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with tools.running(app.state.context):
            yield
        store.close()

    app = _Application(
        title="Headrace",
        version=__version__,
        summary="Design-space exploration for machine-learning accelerators",
        description=_DESCRIPTION,
        lifespan=lifespan,
        max_body_size=settings.max_json_bytes,
        form_limits={"max_files": 1, "max_fields": 4, "max_part_size": 4096},
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = Context(settings, store, Artefacts(settings.home), Parser(settings), metrics)
    errors.install(app)
    app.include_router(
        uploads.router(settings.max_model_bytes + _FRAMING_BYTES, settings.max_dataset_bytes + _FRAMING_BYTES)
    )
    for part in (jobs, trials, points, exports, events, sweeps, meta, pages):
        app.include_router(part.router)
    app.router.routes.append(Route(PATH, tools, methods=["POST"]))
    app.mount("/static", StaticFiles(packages=[("api", "static")]), name="static")
    return app


_DESCRIPTION = """
Submit a trained model and constraints; every candidate design becomes SystemVerilog, is simulated, compared word for
word with the integer reference, and stored with its measurements. Errors are problem documents (RFC 9457).
"""
