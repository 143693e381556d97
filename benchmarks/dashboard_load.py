"""How quickly the page of a large job is drawn and filtered, in headless Chromium: medians of five.

``python -m benchmarks.dashboard_load [TRIALS]`` needs Debian's ``chromium``. *First paint* and *drawn* count from the
request of the page, *filtered* from the click to the frame that shows its result.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

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


def load(page: Page, address: str, trials: int) -> tuple[float, float]:
    """Milliseconds to the first paint and to the last mark."""
    start = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(f'.pareto [data-drawn="{trials} trials, {trials} shown"]', state="attached")
    return float(page.evaluate(_PAINT)), 1000 * (time.perf_counter() - start)


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
    print(f"first paint  {statistics.median(paint for paint, _ in loads):7.0f} ms")
    print(f"drawn        {statistics.median(drawn for _, drawn in loads):7.0f} ms")
    print(f"filtered     {statistics.median(filters):7.0f} ms")


if __name__ == "__main__":
    main()
