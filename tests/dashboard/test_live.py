"""The page keeps up with a job, and catches up after whatever cut it off."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from tests.api.harness import Server, serving
from tests.dashboard.conftest import submit
from tests.dashboard.made import Search, write


def all_there(page: Page, trials: int) -> None:
    """All trials are in the page, and no event was skipped on the way."""
    expect(page.locator(".filter-count")).to_have_text(f"{trials:,} trials")
    expect(page.locator(".live")).to_have_attribute("data-missed", "0")


def test_fifty_trials_a_second(service: Server, page: Page) -> None:
    job_id = submit(service, 1000, net="fast")
    Search(service.store, job_id, 1000)
    page.goto(f"{service.url}/jobs/{job_id}")
    expect(page.locator(".live")).to_have_text("live")
    for second in range(8):
        write(service.store, job_id, 50, seed=second, seconds=0.02)
        time.sleep(1)
    all_there(page, 400)
    expect(page.locator(".live")).to_have_text("live")


def test_a_restarted_service_is_found_again(tmp_path: Path, page: Page) -> None:
    home = tmp_path / "home"
    with serving(home) as first:
        job_id = submit(first, 100, net="restarted")
        write(first.store, job_id, 20)
        page.goto(f"{first.url}/jobs/{job_id}")
        all_there(page, 20)
        port = int(first.url.rsplit(":", 1)[1])
    expect(page.locator(".live")).to_contain_text("stale")
    with serving(home, port=port) as second:
        write(second.store, job_id, 30, seed=1)
        expect(page.locator(".live")).to_have_text("live")
        all_there(page, 50)


def test_a_page_that_was_cut_off_catches_up(service: Server, context: BrowserContext, page: Page) -> None:
    job_id = submit(service, 100, net="asleep")
    write(service.store, job_id, 10)
    page.goto(f"{service.url}/jobs/{job_id}")
    all_there(page, 10)
    context.set_offline(True)
    write(service.store, job_id, 25, seed=1)
    time.sleep(1)
    context.set_offline(False)
    all_there(page, 35)


def test_the_list_of_jobs_follows(service: Server, page: Page) -> None:
    page.goto(service.url)
    name = f"arrives at {time.time():.0f}"
    submit(service, 10, net=name)
    expect(page.get_by_role("link", name=name)).to_be_visible()


def test_ten_thousand_trials_are_drawn_and_filtered(service: Server, page: Page) -> None:
    job_id = submit(service, 10_000, net="large")
    write(service.store, job_id, 10_000)
    page.goto(f"{service.url}/jobs/{job_id}")
    drawn = page.locator(".pareto [data-drawn]")
    expect(drawn).to_have_attribute("data-drawn", "10000 trials, 10000 shown")
    rows = page.locator(".trials tbody tr:not(.gap)")
    assert rows.count() < 100
    page.locator(".table-scroller").evaluate("element => element.scrollTo(0, element.scrollHeight)")
    expect(rows.last.locator("th")).to_have_text("9999")
    bad = service.http.get(f"/v1/jobs/{job_id}").json()["counts"]["infeasible"]
    page.get_by_role("group", name="States").get_by_role("button", name="infeasible").click()
    expect(drawn).to_have_attribute("data-drawn", f"10000 trials, {bad} shown")
    expect(page.locator(".trials table")).to_have_attribute("aria-rowcount", str(bad + 1))
