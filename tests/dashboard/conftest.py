"""A service with jobs in every state, and a real Chromium that looks at it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.api.harness import Server, serving
from tests.dashboard.made import BODY, Search, write

expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Jobs:
    """Ids of the jobs of the service: one of each kind that pages show differently."""

    done: str
    running: str
    failed: str
    queued: str


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("dashboard")) as running:
        running.parser.space_size = 10**6
        yield running


def submit(service: Server, trials: int, **labels: str) -> str:
    """Upload a model and start a job on it; its id."""
    name = f"{labels.get('net', 'digits')}.onnx"
    model = service.http.post("/v1/models", files={"file": (name, b"good " + name.encode())}).json()["id"]
    body = {**BODY, "model": model, "search": {"trials": trials, "wall_seconds": 3600}, "labels": labels}
    answer = service.http.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id


NO_DESIGN = {
    "code": "no-feasible-design",
    "message": "none of 60 candidates is feasible: accuracy >= 0.999: best 0.9182 reached by trial 41",
    "retryable": False,
    "constraints": [{"constraint": "accuracy >= 0.999", "metric": "accuracy", "best": 0.9182, "number": 41}],
    "search_ended": "budget_trials",
}


@pytest.fixture(scope="package")
def jobs(service: Server) -> Jobs:
    failed = submit(service, 60, team="edge", net="keyword spotting")
    search = Search(service.store, failed, 60)
    search.finish("no_feasible_design", NO_DESIGN)
    done = submit(service, 400, team="edge", net="CIFAR-10 CNN")
    write(service.store, done, 400, seed=2)
    search = Search(service.store, done, 400)
    search.publish()
    search.finish()
    running = submit(service, 500, team="vision", net="CIFAR-10 CNN")
    write(service.store, running, 212, seed=3)
    search = Search(service.store, running, 500)
    search.publish()
    for _ in range(2):
        held = service.store.work.claim(search.ask().id, "test", 3600)
        assert held is not None
    search.ask()
    queued = submit(service, 100, team="vision", net="anomaly detector")
    return Jobs(done, running, failed, queued)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("these tests look at the pages in a real browser: apt-get install chromium", pytrace=False)
    with sync_playwright() as playwright:
        # Chromium's own sandbox wants a user that is not root.
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that may not complain: neither about its own code, nor about what the content policy refused."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if _complains(message.text) else None)
    yield opened
    assert not complaints


def _complains(text: str) -> bool:
    return "Content Security Policy" in text or "Uncaught" in text
