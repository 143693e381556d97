"""How quickly the page of a large job is drawn and filtered, in headless Chromium: medians of five.

``python -m benchmarks.dashboard_load [TRIALS]`` needs Debian's ``chromium``. *First paint* and *drawn* count from the
request of the page, *filtered* from the click to the frame that shows its result. *CPU of the page* is what its main
thread worked until it was drawn: it says the same on a machine that is busy with other things.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.api.harness import Server, serving
from tests.dashboard.made import BODY, Search, write

ROUNDS = 5
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
        browser.close()
    print(f"{trials} trials, medians of {ROUNDS}")
    for name, figures in zip(("first paint", "drawn", "CPU of the page"), zip(*loads, strict=True), strict=True):
        print(f"{name:16} {statistics.median(figures):7.0f} ms")
    print(f"{'filtered':16} {statistics.median(filters):7.0f} ms")


if __name__ == "__main__":
    main()
