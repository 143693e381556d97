"""Every page: accessible in both themes, as wide as a phone, under the content policy, with its own errors."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.harness import Server, serving
from tests.dashboard.conftest import Jobs

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")

# What is wider than its box without a way to scroll there: tables, and cells of their heads.
CLIPPED = """[...document.querySelectorAll('main table, main th, [role=table], [role=grid], [role=columnheader]')]
  .filter(e => { for (let box = e.parentElement; box && box !== document.body; box = box.parentElement) {
      const way = getComputedStyle(box).overflowX
      if (way === 'auto' || way === 'scroll') return false
      const cuts = way === 'hidden' || way === 'clip'
      if (cuts && box.getBoundingClientRect().right + 1 < e.getBoundingClientRect().right) return true }
    return e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 })
  .map(e => e.outerHTML.slice(0, 120))"""

# Page -> its address with the ids of jobs, and what is there once it is drawn.
PAGES = {
    "jobs": ("/", ".job-row"),
    "job": ("/jobs/{done}", ".pareto [data-drawn]"),
    "job_running": ("/jobs/{running}", ".pareto [data-drawn]"),
    "job_failed": ("/jobs/{failed}", ".ending"),
    "job_queued": ("/jobs/{queued}", ".empty"),
    "no_such_job": ("/jobs/none", ".failure"),
    "no_such_page": ("/nowhere", "main h1"),
}


def show(page: Page, service: Server, jobs: Jobs, name: str) -> None:
    address, drawn = PAGES[name]
    page.goto(service.url + address.format(**vars(jobs)))
    page.wait_for_selector(drawn)


def tall(page: Page) -> None:
    """As tall as its content, so that all of it is in sight and drawn."""
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_function("[...document.querySelectorAll('.chart-canvas')].every(e => e.hasAttribute('data-drawn'))")
    page.wait_for_timeout(300)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser: Browser, service: Server, jobs: Jobs, name: str, theme: str) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme) as context:
        page = context.new_page()
        show(page, service, jobs, name)
        tall(page)
        page.evaluate(AXE)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        told = [(each["id"], each["help"], [node["html"][:200] for node in each["nodes"]]) for each in found]
        assert not told


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("name", PAGES)
def test_as_wide_as_the_window(browser: Browser, service: Server, jobs: Jobs, name: str, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 844}) as context:
        page = context.new_page()
        show(page, service, jobs, name)
        tall(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(CLIPPED) == []


def test_a_clipped_table_is_found(page: Page) -> None:
    wide = "<main><div style='width: 200px; overflow-x: {}'><table style='width: 400px'></table></div></main>"
    for overflow, clipped in (("hidden", 1), ("auto", 0)):
        page.set_content(wide.format(overflow))
        assert len(page.evaluate(CLIPPED)) == clipped


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere(service: Server) -> None:
    for path in ("/", "/jobs/x", "/v1/jobs", "/static/dashboard/index.html", "/nowhere"):
        policy = service.http.get(path).headers["content-security-policy"]
        rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
        assert rules.pop("default-src") == rules.pop("frame-ancestors") == rules.pop("base-uri") == "'none'"
        assert set(rules.values()) == {"'self'"} and {"script-src", "style-src"} <= set(rules)


def test_every_page_has_the_shell_and_an_icon(service: Server) -> None:
    for path in ("/", "/jobs/x", "/trials/x", "/compare", "/new", "/models", "/devices", "/health"):
        answer = service.http.get(path)
        assert answer.status_code == 200 and "/static/dashboard/" in answer.text, path
        assert answer.headers["cache-control"] == "no-cache"
    assert service.http.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_an_address_without_a_page_is_an_error_in_words_for_browsers_and_a_document_for_programs(
    service: Server, page: Page, jobs: Jobs
) -> None:
    assert page.goto(f"{service.url}/nowhere").status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such resource")
    document = httpx.get(f"{service.url}/nowhere")
    assert document.status_code == 404 and document.headers["content-type"] == "application/problem+json"
    page.goto(f"{service.url}/v1/jobs/none")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such resource")


def test_the_chosen_theme_is_kept(service: Server, jobs: Jobs, page: Page) -> None:
    show(page, service, jobs, "jobs")
    page.get_by_role("button", name="Show in dark colours").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_guarded_service_asks_for_its_token(tmp_path: Path, page: Page) -> None:
    token = "a-secret-of-enough-length"
    with serving(tmp_path / "home", token=token) as guarded:
        page.goto(guarded.url)
        page.get_by_label("Token").fill("wrong-wrong-wrong")
        page.get_by_role("button", name="Go on").click()
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_text("No job has been submitted yet")).to_be_visible()
