"""The page of a trial says what the service says of it, and gives what it has to give."""

from __future__ import annotations

import json
import re
import zipfile
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.api.harness import Server
from tests.dashboard.pages.conftest import Made


def test_operators_devices_and_links_are_those_of_the_service(site: Server, made: Made, page: Page) -> None:
    found = site.http.get(f"/v1/trials/{made.trial}?detail=operators").json()["metrics"]
    layers = {(one["source"], one["device"]) for one in found["operators"]}
    page.goto(f"{site.url}/trials/{made.trial}")
    expect(page.locator(".box")).to_have_count(len(layers))
    for device in found["devices"]:
        section = page.get_by_role("region", name=f"Device {device['index']}", exact=True)
        expect(section.locator(".box")).to_have_count(sum(place == device["index"] for _, place in layers))
    expect(page.locator(".hop")).to_have_count(len(found["hops"]))
    expect(page.locator(".exactness")).to_contain_text("13,312 words compared, none differs")

    page.get_by_label("Boxes").select_option("operators")
    expect(page.locator(".box")).to_have_count(len(found["operators"]))
    inner = [one for one in found["streams"] if one["producer"] and one["consumer"]]
    devices = {one["name"]: one["device"] for one in found["operators"]}
    within = [one for one in inner if devices[one["producer"]] == devices[one["consumer"]]]
    ports = len(found["streams"]) - len(within) + len(inner) - len(within)  # a stream between devices is drawn in both
    expect(page.locator(".wire")).to_have_count(len(within) + ports)


def test_the_slowest_operator_is_marked_and_chosen(site: Server, made: Made, page: Page) -> None:
    operators = site.http.get(f"/v1/trials/{made.trial}?detail=operators").json()["metrics"]["operators"]
    slowest = max(operators, key=lambda one: one["model_interval_cycles"])
    page.goto(f"{site.url}/trials/{made.trial}")
    expect(page.locator(".box.critical")).to_have_count(1)
    expect(page.locator(".box.critical")).to_have_class(re.compile("chosen"))
    panel = page.get_by_role("region", name="Chosen box")
    expect(panel.get_by_role("heading", level=2)).to_have_text(slowest["source"])
    expect(panel).to_contain_text(f"{slowest['model_interval_cycles']:,} cycles, 100 % of the slowest")
    expect(panel).to_contain_text(f"{slowest['busy_cycles']:,}")

    page.locator(".box", has_text="softmax").first.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", level=2)).to_contain_text("softmax")


def test_repeated_blocks_are_folded_and_unfold(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/trials/{made.deep}")
    expect(page.locator(".box-behind")).to_have_count(32)
    page.locator(".box", has_text="Block 2 of 32").click()
    page.get_by_role("button", name=re.compile("Show its \\d+ layers")).click()
    expect(page.locator(".box-behind")).to_have_count(31)
    expect(page.locator(".box", has_text="block2_softmax")).to_have_count(1)
    page.reload()  # what is open is in the address
    expect(page.locator(".box", has_text="block2_softmax")).to_have_count(1)
    page.get_by_role("button", name="Fold 32 blocks").click()
    expect(page.locator(".box", has_text="block32_softmax")).to_have_count(1)


def test_zoom_fits_more_boxes_in_a_row(site: Server, made: Made, page: Page) -> None:
    page.goto(f"{site.url}/trials/{made.deep}")

    def in_first_row() -> int:
        tops: list[int] = page.locator(".box").evaluate_all(
            "boxes => boxes.map(b => Math.round(b.getBoundingClientRect().top))"
        )
        return max(tops[:20].count(top) for top in tops[:20])

    expect(page.locator(".box-behind")).to_have_count(32)
    before = in_first_row()
    page.get_by_role("button", name="Smaller").click()
    page.get_by_role("button", name="Smaller").click()
    expect(page.get_by_role("group", name="Size of the picture")).to_contain_text("65 %")
    page.wait_for_timeout(300)
    assert in_first_row() > before


def test_from_a_trial_to_a_comparison_to_the_bundle(site: Server, made: Made, page: Page, tmp_path: Path) -> None:
    page.goto(f"{site.url}/trials/{made.trial}")
    page.get_by_role("link", name="Compare …").click()
    expect(page.get_by_text("One trial alone")).to_be_visible()
    other = site.http.get(f"/v1/trials/{made.fast}").json()["number"]
    option = page.get_by_label("Add").locator("option", has_text=f"Trial {other}:")
    page.get_by_label("Add").select_option(option.get_attribute("value"))
    expect(page.locator(".compared-one")).to_have_count(2)
    page.locator(".compared-one a", has_text=f"Trial {other}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Trial {other}")
    with page.expect_download() as started:
        page.get_by_role("button", name="Bundle").click()
    target = tmp_path / "bundle.zip"
    started.value.save_as(target)
    assert started.value.suggested_filename == f"headrace-{made.job}-trial-{other}.zip"
    assert zipfile.is_zipfile(BytesIO(target.read_bytes()))


def test_the_trace_is_offered_where_the_service_has_it(site: Server, made: Made, page: Page) -> None:
    def with_activity(route: Route) -> None:
        contract = site.http.get("/openapi.json").json()
        contract["paths"]["/v1/trials/{trial_id}/activity"] = {}
        route.fulfill(json=contract)

    page.route("**/openapi.json", with_activity)
    page.route("**/activity", lambda route: route.fulfill(json={"traceEvents": []}))
    page.goto(f"{site.url}/trials/{made.trial}")
    with page.expect_download() as started:
        page.get_by_role("button", name="Perfetto trace").click()
    assert json.loads(Path(started.value.path()).read_text()) == {"traceEvents": []}
    assert started.value.suggested_filename.endswith("-activity.json")


def test_what_was_routed_is_shown(site: Server, made: Made, page: Page) -> None:
    def routed(route: Route) -> None:
        trial = site.http.get(f"/v1/trials/{made.trial}?detail=operators").json()
        trial["metrics"] |= {"meas_fmax_mhz": 87.5}
        path = {"operator": "linear1", "stage": "in_memory to acc_q", "ns": 11.4, "routing_ns": 3.0}
        found = {"index": 0, "part": "LFE5U-25F-8BG381C", "fmax_mhz": 87.5, "critical_path": path, "lut": 993}
        found |= {"ff": 250, "dsp": 15, "bram": 4, "bitstream_bytes": 1_032_000}
        done = {"clock_source": "routed", "routing": "done", "routed": found | {"devices": [found]}}
        route.fulfill(json=trial | done)

    page.route(f"**/v1/trials/{made.trial}?*", routed)
    page.goto(f"{site.url}/trials/{made.trial}")
    expect(page.get_by_role("region", name="Placed and routed")).to_contain_text("87.5 MHz measured")
    expect(page.get_by_role("region", name="Placed and routed")).to_contain_text("bitstream of 1,032 kB")
    expect(page.get_by_role("region", name="Placed and routed")).to_contain_text(
        "limited by linear1: in_memory to acc_q"
    )
    expect(page.locator(".facts")).to_contain_text("routed at 87.5")


def test_a_design_without_a_routed_clock_says_why(site: Server, made: Made, page: Page) -> None:
    trial = site.http.get(f"/v1/trials/{made.trial}?detail=operators").json()
    failed = {"routing": "done", "routing_reason": "device 0: nextpnr: no BELs remaining"}
    page.route(f"**/v1/trials/{made.trial}?*", lambda route: route.fulfill(json=trial | failed))
    page.goto(f"{site.url}/trials/{made.trial}")
    expect(page.get_by_role("region", name="Placed and routed")).to_contain_text("no BELs remaining")


def test_an_infeasible_trial_says_why(site: Server, made: Made, page: Page) -> None:
    jobs = site.http.get("/v1/jobs?limit=50").json()["items"]
    (small,) = [job for job in jobs if job["labels"].get("study") == "too small a board"]
    trial = site.http.get(f"/v1/jobs/{small['id']}/trials").json()["items"][0]
    page.goto(f"{site.url}/trials/{trial['id']}")
    expect(page.locator(".ending")).to_have_text(trial["reason"])
    expect(page.get_by_text("No design to show")).to_be_visible()
    expect(page.get_by_role("button", name="Bundle")).to_have_count(0)


def test_a_fault_of_many_lines_is_said_in_its_last_one(site: Server, made: Made, page: Page) -> None:
    reason = "Traceback (most recent call last):\n" + 40 * "/long/path" + "\nToolError: g++ ran longer than 300 s"
    times = {"started_at": "2026-11-24T10:00:00Z", "ended_at": "2026-11-24T10:05:00Z"}
    fault = {"purpose": "sign_off", "worker": "evaluate@workshop", "outcome": "fault", "reason": reason, **times}
    page.route("**/attempts", lambda route: route.fulfill(json={"items": [fault], "next_cursor": None}))
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/trials/{made.trial}")
    attempts = page.get_by_role("region", name="Attempts")
    expect(attempts).to_contain_text("ToolError: g++ ran longer than 300 s")
    expect(attempts.get_by_text("Traceback")).to_be_hidden()
    attempts.locator("summary").click()
    expect(attempts.get_by_text("Traceback")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
