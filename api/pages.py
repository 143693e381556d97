"""The pages under ``/``: server-rendered, without scripts, everything escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api import __version__
from api.context import ContextDep, Cursor, ResourceId
from api.job_views import JobView
from api.readiness import readiness
from api.schemas import EndReason
from api.trial_views import TrialView

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

_JOBS = 50
_RECENT_TRIALS = 25
_RECENT_EVENTS = 200


def _number(value: float | int | None) -> str:
    """A figure for a table cell: thousands separated, about four significant digits, a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}".replace(",", "\u2009")
    return f"{value:,.0f}".replace(",", "\u2009") if abs(value) >= 1000 else f"{value:.4g}"


def _age(value: datetime) -> str:
    """How long ago, in the largest fitting unit."""
    seconds = max(0, int((datetime.now(UTC) - value).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


_ENDS: dict[EndReason, str] = {
    "budget_trials": "all trials done",
    "budget_seconds": "wall_seconds used up",
    "space_exhausted": "the whole space was tried",
    "stopped": "stopped by a user",
    "cancelled": "cancelled by a user",
    "no_feasible_design": "no feasible design",
    "evaluations_failed": "every evaluation failed",
    "search_failed": "the search failed",
}


def _ended(reason: EndReason) -> str:
    """Why a job ended, in words."""
    return _ENDS[reason]


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(number=_number, age=_age, ended=_ended)
_templates.globals.update(version=__version__)


def _render(name: str, **values: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(name).render(values), headers={"Cache-Control": "no-store"})


@router.get("/")
def index(context: ContextDep, cursor: Cursor = None) -> HTMLResponse:
    """Jobs, newest first, and whether the service is ready."""
    page = context.store.jobs.page(cursor=cursor, limit=_JOBS)
    return _render(
        "index.html",
        jobs=[JobView.of(row) for row in page.items],
        next_cursor=page.next_cursor,
        ready=readiness(context),
    )


@router.get("/jobs/{job_id}")
def job_page(context: ContextDep, job_id: ResourceId) -> HTMLResponse:
    """One job: progress, Pareto front, the trials that changed last."""
    row = context.store.jobs.get(job_id)
    front = [TrialView.of(trial) for trial in context.store.trials.get_all(list(row.front))]
    changed = context.store.trials.page(job_id, since_seq=max(0, row.seq - _RECENT_EVENTS), limit=_RECENT_EVENTS)
    return _render(
        "job.html",
        job=JobView.of(row),
        active=not row.terminal,
        front=front,
        recent=[TrialView.of(trial) for trial in reversed(changed.items[-_RECENT_TRIALS:])],
        now=datetime.now(UTC),
    )
