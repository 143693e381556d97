"""From a file to a job: what the model became, what is wrong with the form, and a copy of an old job."""

from __future__ import annotations

import re

from playwright.sync_api import FilePayload, Page, expect

from tests.api.harness import Server
from tests.dashboard.pages.conftest import Made
from tests.dashboard.pages.given import GRAPH, REFUSED


def upload(page: Page, label: str, name: str, content: bytes) -> None:
    payload: FilePayload = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_label(label).set_input_files(payload)


def test_from_a_form_to_a_job(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/new")
    upload(page, "Upload a model", "recurrent.onnx", b"bad")
    refusal = page.locator(".refusal")
    for node in REFUSED:
        expect(refusal.get_by_role("row", name=node["node"])).to_contain_text(node["reason"])

    upload(page, "Upload a model", "fresh.onnx", b"good and new")
    expect(refusal).to_have_count(0)
    nodes = sum(GRAPH["operators"].values())
    expect(page.locator(".report")).to_contain_text(f"{nodes} nodes become hardware")
    expect(page.locator(".report")).to_contain_text("1 step stays in software")
    upload(page, "Upload data", "digits.npz", b"data")
    expect(page.get_by_label("Data", exact=True)).not_to_have_value("")

    page.get_by_label("Device").select_option("pynq-z2")
    page.get_by_label("Trials").fill("12")
    page.get_by_role("button", name="A constraint").click()
    page.get_by_label("At least").fill("0.9")
    page.get_by_label("Labels").fill("team=edge\nnote=a = b")
    page.get_by_role("button", name="Start the exploration").click()
    page.wait_for_url(re.compile("/jobs/job_"))
    spec = site.http.get(f"/v1{page.url.removeprefix(site.url)}").json()
    assert spec["progress"]["trials_total"] == 12
    assert spec["labels"] == {"team": "edge", "note": "a = b"}
    assert spec["spec"]["platform"]["devices"] == [{"device": "pynq-z2", "count": 1}]
    assert spec["spec"]["constraints"] == [{"metric": "accuracy", "min": 0.9, "max": None}]


def test_what_is_wrong_stands_at_its_field(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/new?clone={made.job}")
    page.get_by_label("Trials").fill("none")
    page.get_by_label("How many").fill("65")
    page.get_by_label("At least").first.fill("0.9")
    page.get_by_label("At most").first.fill("0.5")
    page.get_by_role("button", name="8", exact=True).first.click()
    page.get_by_role("button", name="Start the exploration").click()
    refused = page.locator(".refused")
    expect(refused).to_be_focused()
    for label in ("Trials", "How many"):
        expect(page.get_by_label(label)).to_have_attribute("aria-invalid", "true")
    said = page.get_by_label("Trials").get_attribute("aria-describedby")
    assert "integer" in page.locator(f"#{said}").inner_text()
    expect(page.locator(".form-part").nth(3)).to_contain_text("min is greater than max")
    refused.get_by_role("button", name="/search/trials").click()
    expect(page.get_by_label("Trials")).to_be_focused()

    page.get_by_label("Trials").fill("5")
    page.get_by_label("Trials").blur()
    expect(page.get_by_label("Trials")).to_have_attribute("aria-invalid", "false")


def test_a_job_that_cannot_be_is_refused_with_its_place(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/new?clone={made.job}")
    page.get_by_label("Constraint 1", exact=True).select_option("est_lut")
    page.get_by_label("At least").first.fill("")
    page.get_by_label("At most").first.fill("0.5")
    page.get_by_role("button", name="Start the exploration").click()
    expect(page.locator(".refused")).to_contain_text("No candidate can satisfy this job")
    expect(page.locator(".form-part").nth(3)).to_contain_text("one lane needs 812 LUT")


def test_a_copy_of_a_job_is_that_job(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/new?clone={made.job}")
    expect(page.get_by_label("Labels")).to_have_value("model=character-transformer\nstudy=two boards")
    page.get_by_role("button", name="Start the exploration").click()
    page.wait_for_url(re.compile("/jobs/job_"))
    old, new = (site.http.get(f"/v1{path}").json() for path in (f"/jobs/{made.job}", page.url.removeprefix(site.url)))
    assert new["id"] != old["id"]
    assert new["spec"] == old["spec"]


def test_a_model_is_taken_along(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/models")
    page.get_by_role("link", name="New job with it").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New job")
    expect(page.locator(".report")).to_contain_text("become hardware")
    assert page.get_by_label("Model", exact=True).input_value().startswith("sha256:")
