"""How quickly the page of a large job is drawn, filtered and kept up to date, in headless Chromium: medians of five.

``python -m benchmarks.dashboard_load [TRIALS]`` needs Debian's ``chromium``. The trials are made up: a search of so
many takes hours. *First paint* and *drawn* count from the request of the page, *filtered* from the click to the frame
that shows its result. *CPU of the page* is what its main thread worked until it was drawn: it says the same on a busy
machine. *Behind* is how long after the last of fifty trials a second the page shows all of them, and *busy* the share
of that time in which its main thread works. The load of the machine is printed beside them.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.api.harness import Server, serving
from tests.dashboard.made import BODY, Search, write

ROUNDS = 5
SECONDS, PER_SECOND, TOGETHER = 8, 50, 5
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_FILTER = """async () => {
  const chip = document.querySelector(".chip.key-infeasible");
  const start = performance.now();
  chip.click();
  await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
  return performance.now() - start;
}"""


def make_job(service: Server, trials: int) -> str:
    """A finished job; its id."""
    service.parser.space_size = trials
    job_id = str(service.submit(**BODY, search={"trials": trials})["id"])
    write(service.store, job_id, trials)
    search = Search(service.store, job_id, trials)
    search.publish()
    search.finish()
    return job_id


def load(page: Page, address: str, trials: int) -> tuple[float, float, float]:
    """Milliseconds to the first paint and to the last mark, and of the page's own CPU time until then."""
    page.goto("about:blank")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _busy(session)
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(f'.pareto [data-drawn="{trials} trials, {trials} shown"]', state="attached")
    drawn = 1000 * (time.perf_counter() - start)
    return float(page.evaluate(_PAINT)), drawn, 1000 * (_busy(session) - before)


def _busy(session: CDPSession) -> float:
    """Seconds of CPU that the page's main thread has spent in tasks."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def follow(page: Page, service: Server, trials: int) -> tuple[float, float]:
    """Milliseconds that the page is behind fifty trials a second of a job that has almost all, and its busy share."""
    job_id = str(service.submit(**BODY, search={"trials": 2 * trials})["id"])
    Search(service.store, job_id, 2 * trials)
    write(service.store, job_id, trials)
    load(page, f"{service.url}/jobs/{job_id}", trials)
    page.wait_for_timeout(2000)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    busy, start = _busy(session), time.perf_counter()
    for step in range(SECONDS * PER_SECOND // TOGETHER):
        write(service.store, job_id, TOGETHER, seed=step, seconds=1 / PER_SECOND)
        time.sleep(max(0.0, start + (step + 1) * TOGETHER / PER_SECOND - time.perf_counter()))
    last = time.perf_counter()
    page.wait_for_selector(f'.filter-count:text-is("{trials + SECONDS * PER_SECOND:,} trials")')
    end = time.perf_counter()
    assert page.get_attribute(".live", "data-missed") == "0"
    return 1000 * (end - last), (_busy(session) - busy) / (end - start)


def main() -> None:
    """Print the medians."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home)) as service,
        sync_playwright() as playwright,
    ):
        address = f"{service.url}/jobs/{make_job(service, trials)}"
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        loads = [load(page, address, trials) for _ in range(ROUNDS)]
        filters = [float(page.evaluate(_FILTER)) for _ in range(ROUNDS)]
        behind, busy = follow(page, service, trials)
        browser.close()
    print(f"{trials} trials made up, medians of {ROUNDS}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name, figures in zip(("first paint", "drawn", "CPU of the page"), zip(*loads, strict=True), strict=True):
        print(f"{name:16} {statistics.median(figures):7.0f} ms")
    print(f"{'filtered':16} {statistics.median(filters):7.0f} ms")
    print(f"{'behind':16} {behind:7.0f} ms, {PER_SECOND} trials a second; the page is busy {busy:.0%} of the time")


if __name__ == "__main__":
    main()
