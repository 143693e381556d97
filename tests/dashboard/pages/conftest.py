"""A service with two models, three jobs of designs on two devices, and a design of 32 repeated blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.api.harness import Server, serving
from tests.dashboard.pages.given import failed_trials, parse, searched, sweep


@dataclass(frozen=True)
class Made:
    """Ids of what the service has."""

    job: str
    other: str
    sweep: str
    trial: str
    fast: str
    deep: str


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("site")) as running:
        running.parser.inspect_model = parse
        yield running


@pytest.fixture(scope="package")
def made(site: Server) -> Made:
    job, _ = searched(site, 2, 40)
    other, _ = searched(site, 2, 40, 1, labels={"model": "character-transformer", "study": "another seed"})
    failed_trials(site)
    _, deep = searched(site, 32, 1, labels={"model": "32 blocks"})
    front = site.store.jobs.get(job).front
    fast = max(front, key=lambda trial: _throughput(site, trial))
    return Made(job, other, sweep(site), front[0], fast if fast != front[0] else front[-1], deep[0].id)


def _throughput(site: Server, trial: str) -> float:
    found: float = (site.store.trials.get(trial).result or {})["metrics"]["throughput_per_s"]
    return found
