"""Side by side: figures and differences are those of the service."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from tests.api.harness import Server
from tests.dashboard.pages.conftest import Made


def test_two_trials_operator_by_operator(site: Server, made: Made, page: Page) -> None:
    a, b = (site.http.get(f"/v1/trials/{trial}?detail=operators").json() for trial in (made.trial, made.fast))
    page.goto(f"{site.url}/compare?trials={made.trial},{made.fast}")
    figures = page.get_by_role("region", name="Metrics as a table")
    row = figures.get_by_role("row", name="LUT", exact=False).first
    expect(row).to_contain_text(f"{a['metrics']['est_lut']:,.0f}")
    expect(row).to_contain_text(f"{b['metrics']['est_lut']:,.0f}")

    decisions = sum(
        a["candidate"][plan][node] != b["candidate"][plan][node]
        for plan in ("parallelism", "partition")
        for node in a["candidate"][plan]
    ) + sum(
        a["candidate"]["quantization"][node][part] != b["candidate"]["quantization"][node][part]
        for node in a["candidate"]["quantization"]
        for part in ("weight", "activation")
    )
    expect(page.get_by_role("region", name="Decisions", exact=True)).to_contain_text(f"{decisions} differences")

    def intervals(trial: dict[str, Any]) -> dict[str, int]:
        found: dict[str, int] = {}
        for one in trial["metrics"]["operators"]:
            found[one["source"]] = max(found.get(one["source"], 0), one["model_interval_cycles"])
        return found

    first, second = intervals(a), intervals(b)
    differ = sum(first[name] != second[name] for name in first)
    operators = page.get_by_role("region", name="Operators", exact=True)
    expect(operators).to_contain_text(f"{differ} of {len(first)} layers differ")
    page.get_by_role("button", name="Only what differs").click()
    expect(operators.locator("tbody tr")).to_have_count(differ)
    page.get_by_role("button", name=f"Leave out trial {b['number']}").click()
    expect(page.get_by_text("One trial alone")).to_be_visible()


def test_jobs_are_chosen_and_their_fronts_overlaid(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/compare")
    start = page.get_by_role("button", name="Compare jobs")
    expect(start).to_be_disabled()
    for job in (made.job, made.other):
        page.locator(".pick", has_text=job[-8:]).click()
    page.get_by_role("button", name="Compare 2 jobs").click()
    expect(page.locator(".chart canvas")).to_be_visible()
    expect(page.locator(".fronts-key li")).to_have_count(2)
    expect(page.locator(".fronts-key")).to_contain_text("study another seed")
    page.locator(".choice select").first.select_option("est_dsp")
    page.reload()
    expect(page.locator(".choice select").first).to_have_value("est_dsp")
    best = site.http.get(f"/v1/jobs/{made.job}").json()["best"]["accuracy"]
    page.get_by_role("region", name="Results as a table").get_by_role("link", name=f"{best['value']:.4g}").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Trial")


def test_the_jobs_of_a_sweep(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/compare?sweep={made.sweep}")
    expect(page.get_by_role("heading", level=1)).to_have_text("A sweep")
    expect(page.get_by_role("region", name="Results as a table").locator("tbody tr")).to_have_count(2)
    expect(page.get_by_text("No design yet")).to_be_visible()


def test_trials_are_ticked_in_the_table_of_their_job(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/jobs/{made.job}")
    boxes = page.locator(".trials tbody .tick input")
    names = [str(boxes.nth(place).get_attribute("aria-label")) for place in range(4)]
    for place in range(4):
        boxes.nth(place).check()
    expect(boxes.nth(4)).to_be_disabled()
    boxes.nth(3).uncheck()
    page.get_by_role("link", name="Compare 3 of 4 at most").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trials side by side")
    for name in names[:3]:
        trial = name.removeprefix("Compare ").capitalize()
        expect(page.locator(".compared-one a", has_text=trial).first).to_be_visible()


def test_a_sweep_is_found_where_jobs_are_compared_and_at_its_jobs(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/compare")
    sweep = page.get_by_role("region", name="Sweeps").get_by_role("link").first
    expect(sweep).to_contain_text("character-transformer.onnx")
    expect(sweep).to_contain_text("2 queued")
    sweep.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A sweep")
    page.get_by_role("region", name="Results as a table").locator("tbody a").first.click()
    page.get_by_role("link", name="a sweep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("A sweep")
