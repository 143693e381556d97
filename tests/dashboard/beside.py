"""Pictures of optuna-dashboard over the study of the job that our own pictures show.

``python -m tests.dashboard.beside PATH/TO/optuna-dashboard`` (0.21, in an environment of its own) writes
``docs/images/optuna_*.png``; docs/optuna_dashboard.md shows them beside ours.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import optuna
from playwright.sync_api import sync_playwright

from headrace.client import connect
from headrace.job import Job
from tests.dashboard import real
from tests.dashboard.test_pictures import keep

PORT = 8093
# Picture -> the page of the first study of the storage.
PAGES = {"history": "/dashboard/studies/1", "selection": "/dashboard/studies/1/smartSelection"}


def stored(job: Job, url: str) -> None:
    """The job's study in a storage that optuna-dashboard reads."""
    study = job.to_optuna()
    copy = optuna.create_study(study_name=study.study_name, directions=study.directions, storage=url)
    copy.set_metric_names(study.metric_names or [])
    copy.add_trials(study.trials)


@contextmanager
def showing(command: str, url: str) -> Iterator[str]:
    """optuna-dashboard over a storage; its address."""
    address = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen([command, url, "--port", str(PORT), "--quiet"]) as process:
        try:
            while process.poll() is None and not _answers(address):
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/api/studies", trust_env=False).is_success
    except httpx.TransportError:
        return False


def main() -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'study.db'}"
        with real.serve() as local, connect(local.url) as client:
            stored(client.job(real.searched(client, real.cache()).job), url)
        with showing(sys.argv[1], url) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            for name, path in PAGES.items():
                page = browser.new_page(viewport={"width": 1440, "height": 1100})
                page.goto(address + path)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(8000)  # its plots come one after the other
                keep(page, f"optuna_{name}")
            browser.close()


if __name__ == "__main__":
    main()
