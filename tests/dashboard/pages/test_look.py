"""Every page here: nothing that axe finds, in both themes; as wide as a phone."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.api.harness import Server
from tests.dashboard.pages.conftest import Made

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")

# Page -> its address with ids, and what is there once it is drawn.
PAGES = {
    "trial": ("/trials/{fast}", ".box"),
    "trial_deep": ("/trials/{deep}", ".box"),
    "trial_operators": ("/trials/{trial}?level=operators", ".box"),
    "compare": ("/compare", ".pick"),
    "compare_trials": ("/compare?trials={trial},{fast}", ".pair-bars"),
    "compare_jobs": ("/compare?jobs={job},{other}", ".chart canvas"),
    "compare_sweep": ("/compare?sweep={sweep}", ".listing"),
    "new": ("/new", ".form-part"),
    "new_clone": ("/new?clone={job}", ".report"),
    "models": ("/models", ".model"),
    "devices": ("/devices", ".devices-table"),
    "health": ("/health", ".part-state"),
    "no_such_trial": ("/trials/none", ".failure"),
}


def show(page: Page, site: Server, made: Made, name: str) -> None:
    address, drawn = PAGES[name]
    page.goto(site.url + address.format(**vars(made)))
    page.wait_for_selector(drawn)


def tall(page: Page) -> None:
    """As tall as its content, so that all of it is in sight."""
    height = page.evaluate("document.documentElement.scrollHeight")
    assert page.viewport_size is not None
    page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
    page.wait_for_timeout(400)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    browser: Browser, site: Server, made: Made, name: str, theme: Literal["light", "dark"]
) -> None:
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=theme) as context:
        page = context.new_page()
        show(page, site, made, name)
        tall(page)
        page.evaluate(AXE)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")["violations"]
        assert not [(each["id"], each["help"], [node["html"][:200] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("name", PAGES)
def test_as_wide_as_a_phone(browser: Browser, site: Server, made: Made, name: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        show(page, site, made, name)
        tall(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
