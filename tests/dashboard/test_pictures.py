"""Pages over real jobs say what the service says; with ``HEADRACE_IMAGES=1`` their pictures go into the documents."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from headrace.client import Client, connect
from tests.dashboard import real
from tests.dashboard.real import Found

pytestmark = pytest.mark.slow

IMAGES = Path(__file__).parents[2] / "docs" / "images"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
COLOURS = 96

# Page -> its address with ids, and what is there once it is drawn.
PAGES = {
    "jobs": ("/", ".job-row"),
    "job": ("/jobs/{job}", ".pareto [data-drawn]"),
    "trial": ("/trials/{fast}", ".box"),
    "trial_routed": ("/trials/{routed}", ".box"),
    "trial_deep": ("/trials/{deep}", ".box"),
    "compare_trials": ("/compare?trials={trial},{fast}", ".pair-bars"),
    "compare_sweep": ("/compare?sweep={sweep}", ".chart canvas"),
    "new_clone": ("/new?clone={job}", ".report"),
    "models": ("/models", ".model"),
    "devices": ("/devices", ".devices-table"),
    "health": ("/health", ".part-state"),
}
# Of these the documents show the dark colours, too.
DARK = ("job", "trial")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with real.serve() as local, connect(local.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def found(client: Client) -> Found:
    return real.searched(client, real.cache())


def show(page: Page, client: Client, found: Found, name: str) -> None:
    """The page as tall as its content, so that all of it is in sight and drawn."""
    address, drawn = PAGES[name]
    page.goto(client.url + address.format(**vars(found)))
    page.wait_for_selector(drawn)
    page.wait_for_timeout(400)
    height = page.evaluate("document.documentElement.scrollHeight")
    assert page.viewport_size is not None
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_function("[...document.querySelectorAll('.chart-canvas')].every(e => e.hasAttribute('data-drawn'))")
    page.wait_for_timeout(400)


def keep(page: Page, name: str) -> None:
    """A picture for the documents, in few colours: a third of the bytes, and nothing that anybody could see."""
    if os.environ.get("HEADRACE_IMAGES"):
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        few = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(IMAGES / f"{name}.png", optimize=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_on_real_pages(
    browser: Browser, client: Client, found: Found, name: str, theme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme) as context:
        page = context.new_page()
        show(page, client, found, name)
        page.evaluate(AXE)
        violations = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert not [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in violations]
        if theme == "light":
            keep(page, f"dashboard_{name}")
        elif name in DARK:
            keep(page, f"dashboard_{name}_dark")


@pytest.mark.parametrize("name", PAGES)
def test_real_pages_are_as_wide_as_a_phone(browser: Browser, client: Client, found: Found, name: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        show(page, client, found, name)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        if name == "job":
            keep(page, "dashboard_job_phone")


def test_the_front_of_a_real_job_is_that_of_the_service(page: Page, client: Client, found: Found) -> None:
    job = client.job(found.job)
    page.goto(f"{client.url}/jobs/{found.job}")
    expect(page.locator(".mark-front")).to_have_text(f"on the front {len(job.pareto())}")


def test_a_routed_design_names_the_operator_that_limits_its_clock(page: Page, client: Client, found: Found) -> None:
    routed = client.trial(found.routed)["routed"]
    page.goto(f"{client.url}/trials/{found.routed}")
    expect(page.get_by_role("region", name="Placed and routed")).to_contain_text(routed["critical_path"]["operator"])
    expect(page.locator(".box", has_text="sets the clock")).to_have_count(1)
