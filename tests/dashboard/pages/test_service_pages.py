"""Models, devices, health: what the service says, and what it says when something is wrong."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.api.harness import Server
from tests.dashboard.pages.conftest import Made
from tests.dashboard.pages.given import REFUSED

WORKER = {
    "id": "evaluate@workshop",
    "queues": ["headrace.evaluate"],
    "heard_at": "2026-11-24T10:00:00Z",
    "info": {"sandbox": {"mode": "namespaces"}, "tools": {"verilator": "5.048", "yosys": None}, "slots": 2},
}
HEALTH: dict[str, Any] = {
    "queue": {"jobs": {"running": 2}, "trials_waiting": 7, "trials_running": 2, "messages_waiting": 0, "slots": 2},
    "cache": {"trials": 40, "stored_answers": 3, "hit_rate": 0.25, "stages": {"accuracy": {"ran": 40, "hits": 30}}},
    "reasons": [{"state": "infeasible", "reason": "the design does not fit", "count": 9}],
}


def test_models_are_listed_and_a_refusal_names_every_node(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/models")
    expect(page.locator(".model", has_text="character-transformer.onnx")).to_contain_text("113k")
    payload: FilePayload = {"name": "no.onnx", "mimeType": "application/octet-stream", "buffer": b"bad"}
    page.get_by_label("Upload a model").set_input_files(payload)
    for node in REFUSED:
        expect(page.locator(".refusal")).to_contain_text(node["reason"])


def test_devices_are_found_sorted_and_explained(site: Server, page: Page) -> None:
    devices = site.http.get("/v1/devices").json()["items"]
    page.goto(f"{site.url}/devices")
    rows = page.locator(".devices-table tbody tr")
    expect(rows).to_have_count(len(devices))
    expect(rows.first).to_contain_text(min(devices, key=lambda one: (one["lut"], one["name"]))["name"])
    page.get_by_role("button", name="DSP").click()
    expect(rows.first).to_contain_text(min(devices, key=lambda one: (one["dsp"], one["name"]))["name"])
    page.get_by_role("searchbox", name="Search devices").fill("pynq")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="pynq-z2").click()
    (board,) = [one for one in devices if one["name"] == "pynq-z2"]
    expect(page.locator(".sources")).to_contain_text(board["sources"][0])
    page.get_by_role("searchbox", name="Search devices").fill("abacus")
    page.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(len(devices))


def test_health_names_the_part_that_is_wrong(site: Server, page: Page) -> None:
    page.goto(f"{site.url}/health")
    expect(page.get_by_text("jobs would not run now")).to_be_visible()
    expect(page.locator(".part-state.is-good")).to_have_text("databaseok")
    expect(page.locator(".part-state.is-bad", has_text="broker")).to_have_count(1)
    expect(page.get_by_text("No worker was heard")).to_be_visible()
    expect(page.locator(".versions")).to_contain_text(site.http.get("/version").json()["version"])


def test_health_of_a_busy_service(site: Server, page: Page) -> None:
    def with_health(route: Route) -> None:
        contract = site.http.get("/openapi.json").json()
        contract["paths"]["/v1/health"] = {}
        route.fulfill(json=contract)

    def with_worker(route: Route) -> None:
        route.fulfill(json=site.http.get("/version").json() | {"workers": [WORKER]})

    page.route("**/openapi.json", with_health)
    page.route("**/version", with_worker)
    page.route("**/v1/health", lambda route: route.fulfill(json=HEALTH))
    page.route(
        "**/readyz",
        lambda route: route.fulfill(json={"ready": True, "database": "ok", "broker": "ok", "workers": "ok"}),
    )
    page.goto(f"{site.url}/health")
    expect(page.get_by_text("jobs run")).to_be_visible()
    expect(page.locator(".queue")).to_contain_text("of 2 slots")
    expect(page.locator(".caches")).to_contain_text("25 %")
    expect(page.locator(".caches")).to_contain_text("30 of 40")
    expect(page.locator(".workers")).to_contain_text("evaluate@workshop")
    expect(page.locator(".chip.missing")).to_have_text("yosys missing")
    expect(page.locator(".reasons")).to_contain_text("the design does not fit")
