"""What people do: find a job, watch its front, brush, open a trial, steer the job."""

from __future__ import annotations

import csv
import io
import re

from playwright.sync_api import Page, expect
from pyarrow import parquet

from tests.api.harness import Server
from tests.dashboard.conftest import Jobs, submit
from tests.dashboard.made import Search

NO_LIBRARY = {"title": "The server cannot do this", "detail": "Install pyarrow on the server."}


def drawn(page: Page, text: str) -> None:
    expect(page.locator(".pareto [data-drawn]")).to_have_attribute("data-drawn", text)


def table_rows(page: Page) -> int:
    return int(page.locator(".trials table").get_attribute("aria-rowcount") or 0) - 1


def test_jobs_are_found_by_name_label_and_state(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(service.url)
    rows = page.locator(".job-row")
    expect(rows.filter(has_text="anomaly detector")).to_have_count(1)
    page.get_by_role("searchbox", name="Search jobs").fill("cifar edge")
    expect(rows).to_have_count(1)
    page.reload()  # what was searched is in the address
    expect(rows).to_have_count(1)
    page.get_by_role("searchbox", name="Search jobs").fill("")
    page.get_by_label("State").select_option("failed")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("no feasible design")
    page.get_by_label("State").select_option("")
    page.locator(".label", has_text="vision").first.click()
    expect(rows.filter(has_text="edge")).to_have_count(0)
    expect(rows.filter(has_text="vision").first).to_be_visible()


def test_from_the_list_to_a_live_front_a_lasso_and_a_trial(service: Server, page: Page) -> None:
    job_id = submit(service, 60, net="live")
    search = Search(service.store, job_id, 60)
    page.goto(service.url)
    page.get_by_role("link", name="live").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("live.onnx")
    expect(page.locator(".live")).to_have_text("live")
    for done in search.run(every=10):
        if done == 30:
            expect(page.locator(".progress-text")).to_have_text("30 / 60")
    search.finish()
    expect(page.locator(".live")).to_have_text("final")
    drawn(page, "60 trials, 60 shown")
    job = service.http.get(f"/v1/jobs/{job_id}").json()
    expect(page.locator(".mark-front")).to_have_text(f"on the front {job['pareto_size']}")

    page.get_by_role("button", name="Lasso").click()
    box = page.locator(".pareto canvas").first.bounding_box()
    assert box is not None
    left, middle, top, bottom = box["x"] + 75, box["x"] + box["width"] / 2, box["y"] + 25, box["y"] + box["height"] - 60
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((middle, top), (middle, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=5)
    page.mouse.up()
    chip = page.locator(".chip-on")
    expect(chip).to_contain_text("lasso around")
    inside = int(re.findall(r"\d+", chip.inner_text())[0])
    assert 0 < inside < 60
    drawn(page, f"60 trials, {inside} shown")
    assert table_rows(page) == inside

    trial = page.locator(".trials tbody th a").first
    target = trial.get_attribute("href")
    trial.click()
    page.wait_for_url(f"**{target}")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("live.onnx")


def test_the_hypervolume_of_the_page_is_that_of_the_service(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}")
    label = page.locator(".volume .chart").get_attribute("aria-label") or ""
    told = service.http.get(f"/v1/jobs/{jobs.done}").json()["hypervolume"]
    assert label.startswith(f"Hypervolume {told:.4g} after 400 trials")


def test_buttons_steer_a_job_after_asking(service: Server, page: Page) -> None:
    job_id = submit(service, 50, net="steered")
    Search(service.store, job_id, 50)
    page.goto(f"{service.url}/jobs/{job_id}")
    state = page.locator(".job-title .badge")

    def press(name: str) -> None:
        page.get_by_role("group", name="What to do with this job").get_by_role("button", name=name).click()
        page.get_by_role("dialog").get_by_role("button", name=name).click()

    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    expect(state).to_have_text("running")
    press("Pause")
    expect(state).to_have_text("paused")
    press("Resume")
    expect(state).to_have_text("running")
    page.get_by_role("button", name="Extend").click()
    page.get_by_role("spinbutton", name="Trials").fill("75")
    page.get_by_role("dialog").get_by_role("button", name="Extend").click()
    expect(page.locator(".progress-text")).to_have_text("0 / 75")
    press("Cancel")
    expect(state).to_have_text("cancelled")
    press("Delete")
    page.wait_for_url(f"{service.url}/")
    assert service.http.get(f"/v1/jobs/{job_id}").status_code == 410


def test_stop_lets_what_runs_end(service: Server, page: Page) -> None:
    job_id = submit(service, 50, net="stopped")
    Search(service.store, job_id, 50)
    page.goto(f"{service.url}/jobs/{job_id}")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.locator(".job-title .badge")).to_have_text("stopping")


def test_a_keyboard_is_enough_for_the_plot(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}")
    drawn(page, "400 trials, 400 shown")
    page.locator(".pareto .chart").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    said = page.locator(".pareto [aria-live]")
    expect(said).to_contain_text("Trial")
    number = re.findall(r"Trial (\d+)", said.inner_text())[0]
    page.keyboard.press("Enter")
    page.wait_for_url("**/trials/*")
    assert str(service.http.get(f"/v1{page.url.removeprefix(service.url)}").json()["number"]) == number


def test_filters_are_one_for_plots_table_and_address(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Field").select_option("est_lut")
    page.get_by_label("to", exact=True).fill("6000")
    page.locator(".add-range").get_by_role("button", name="Filter").click()
    expect(page.locator(".chip-on")).to_have_text("LUT ≤ 6,000")
    trials = service.http.get(f"/v1/jobs/{jobs.done}/trials?limit=500").json()["items"]
    small = sum(trial["metrics"].get("est_lut", 1e9) <= 6000 for trial in trials)
    drawn(page, f"400 trials, {small} shown")
    assert table_rows(page) == small
    page.reload()
    drawn(page, f"400 trials, {small} shown")
    page.get_by_role("button", name="show all").click()
    drawn(page, "400 trials, 400 shown")
    page.get_by_role("combobox", name="Show").select_option("front")
    front = service.http.get(f"/v1/jobs/{jobs.done}/pareto").json()["items"]
    drawn(page, f"400 trials, {len(front)} shown")
    expect(page.locator(".trials tbody tr.on-front")).to_have_count(
        min(len(front), page.locator(".trials tbody tr:not(.gap)").count())
    )


def test_a_range_drawn_on_an_axis_filters_the_page(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}")
    chart = page.locator(".parallel .chart-canvas")
    chart.scroll_into_view_if_needed()
    expect(chart).to_have_attribute("data-drawn", "")
    page.wait_for_timeout(500)
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 46, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 46, box["y"] + 100, steps=8)
    page.mouse.up()
    expect(page.locator(".chip-on")).to_contain_text("conv1 weights")
    trials = service.http.get(f"/v1/jobs/{jobs.done}/trials?limit=500").json()["items"]
    wide = sum(trial["candidate"]["quantization"]["conv1"]["weight"] == "int8" for trial in trials)
    expect(page.locator(".filter-count")).to_contain_text(f"{wide} of 400 trials")
    page.get_by_role("button", name="Clear the axes").click()
    expect(page.locator(".filter-count")).to_have_text("400 trials")


def test_the_assumed_clock_moves_what_is_counted_in_time(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}?sort=throughput_per_s&only=front")
    cell = page.locator(".trials tbody tr:not(.gap) td.number").nth(1)
    before = float(cell.inner_text().replace(",", ""))
    slider = page.get_by_label("Assumed clock")
    slider.fill("400")
    expect(page.locator(".clock label")).to_contain_text("400 MHz")
    expect(cell).not_to_have_text(f"{before:g}")
    assert abs(float(cell.inner_text().replace(",", "")) / before - 2) < 0.01
    page.get_by_role("button", name="Back to 200 MHz").click()


def test_columns_are_chosen_and_what_is_shown_is_saved(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}?only=front")
    page.locator(".menu summary").click()
    page.get_by_role("checkbox", name="conv1 weights").check()
    expect(page.get_by_role("columnheader", name="conv1 weights")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the trials shown as CSV").click()
    text = download.value.path().read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    front = service.http.get(f"/v1/jobs/{jobs.done}/pareto").json()["items"]
    assert {row["id"] for row in rows} == {trial["id"] for trial in front}
    first = next(trial for trial in front if trial["id"] == rows[0]["id"])
    assert float(rows[0]["est_lut"]) == first["metrics"]["est_lut"]
    assert rows[0]["weights:conv1"] == first["candidate"]["quantization"]["conv1"]["weight"]


def test_parquet_comes_from_the_service_with_all_trials(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}?only=front")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save all trials as Parquet").click()
    assert parquet.read_table(download.value.path()).num_rows == 400
    page.route("**/trials.parquet", lambda route: route.fulfill(status=501, json=NO_LIBRARY))
    page.get_by_role("button", name="Save all trials as Parquet").click()
    expect(page.get_by_text(NO_LIBRARY["detail"])).to_be_visible()


def test_a_job_is_cloned_into_the_form(service: Server, jobs: Jobs, page: Page) -> None:
    page.goto(f"{service.url}/jobs/{jobs.done}")
    page.get_by_role("link", name="Clone").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("New job")
    expect(page.get_by_label("Labels")).to_have_value("team=edge\nnet=CIFAR-10 CNN")


def test_names_of_users_are_text(service: Server, page: Page) -> None:
    name = "<img src=x onerror=alert(1)>"
    job_id = submit(service, 10, net=name)
    page.goto(service.url)
    expect(page.locator(".job-row", has_text=name).first).to_be_visible()
    page.goto(f"{service.url}/jobs/{job_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}.onnx")
    assert page.locator("img[src=x]").count() == 0
