"""Sweeps: models × platforms × spaces, submitted once however often the cell runs."""

import json
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest

import headrace
from headrace.cli import main
from headrace.cli.exits import Exit
from headrace.http import requests
from headrace.http.link import Link
from tests.api.harness import Server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / f"{name}.onnx").write_bytes(f"good model {name} {tmp_path}".encode())
    return tmp_path


def cell(client: headrace.Client, **changed: object) -> headrace.Sweep:
    arguments = {
        "models": ["one.onnx", "two.onnx"],
        "platforms": {"small": "xc7s6", "large": {"devices": [{"device": "u250", "count": 2}]}},
        "spaces": {"int4": {"weight_bits": [4]}, "int8": {"weight_bits": [8]}, "mx": {"formats": ["mxint"]}},
        "search": {"trials": 2},
    }
    return client.sweep(**{**arguments, **changed})


def count(client: headrace.Client) -> int:
    return len(list(client.jobs()))


def test_every_combination_is_a_job_with_names(client: headrace.Client, server: Server) -> None:
    sweep = cell(client, dataset={"inputs": np.zeros((5, 16), np.float32), "targets": np.zeros(5)})
    jobs = sweep.jobs()
    names = [(job.labels["model"], job.labels["platform"], job.labels["space"]) for job in jobs]
    assert len(jobs) == 12 and len(set(names)) == 12 and names[0] == ("one", "small", "int4")
    assert jobs[0].document["spec"]["space"]["weight_bits"] == [4] and jobs[0].document["dataset"]
    assert jobs[3].document["spec"]["platform"]["devices"] == [{"device": "u250", "count": 2}]
    assert {client.model(job.document["model"]).name for job in jobs} == {"one", "two"}


def test_running_the_cell_again_submits_nothing(client: headrace.Client, server: Server, folder: Path) -> None:
    before = count(client)
    first = cell(client)
    assert cell(client).id == first.id and count(client) == before + 12
    with headrace.connect(server.url) as another:
        assert cell(another).id == first.id
    (manifest,) = (folder / "headrace-sweeps").iterdir()
    assert json.loads(manifest.read_text())["sweep"] == first.id
    other = cell(client, search={"trials": 3})
    assert other.id != first.id and count(client) == before + 24


def test_a_kernel_that_dies_before_the_answer(client: headrace.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is on disk before the request is sent, so the answer that was lost is found again."""
    before, write = count(client), headrace.manifest._write
    monkeypatch.setattr(
        headrace.manifest,
        "_write",
        lambda place, manifest, new=False: write(place, manifest, new=True) if new else die(),
    )

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cell(client)
    assert count(client) == before + 12
    monkeypatch.setattr(headrace.manifest, "_write", write)
    assert len(cell(client).jobs()) == 12 and count(client) == before + 12


def test_a_named_manifest_belongs_to_one_sweep(client: headrace.Client, folder: Path) -> None:
    first = cell(client, manifest="table1.json")
    assert cell(client, manifest="table1.json").id == first.id
    with pytest.raises(headrace.HeadraceError, match=r"table1\.json is the manifest of another sweep"):
        cell(client, manifest="table1.json", search={"trials": 5})
    (folder / "table2.json").write_text("[]")
    with pytest.raises(headrace.HeadraceError, match="no manifest"):
        cell(client, manifest="table2.json")
    document = json.loads((folder / "table1.json").read_text())
    (folder / "table1.json").write_text(json.dumps({**document, "sweep": "sweep_gone"}))
    with pytest.raises(headrace.HeadraceError, match="which this service does not have"):
        cell(client, manifest="table1.json")


def test_a_matrix_keeps_a_manifest_where_one_is_named(client: headrace.Client) -> None:
    model = client.upload_model(b"good model").id
    form = {"base": {"model": model}, "matrix": {"/search/seed": [0, 1]}}
    assert client.sweep(**form, manifest="seeds.json").id == client.sweep(**form, manifest="seeds.json").id
    assert client.sweep(**form).id != client.sweep(**form).id


def test_frames_and_pictures_of_a_sweep(client: headrace.Client, server: Server) -> None:
    sweep = cell(client, spaces=None)
    player = threading.Timer(0.2, lambda: [server.run(job_id, trials=2) for job_id in sweep.job_ids])
    player.start()
    assert sweep.wait(timeout=60).terminal
    player.join()
    frame = sweep.dataframe()
    assert len(frame) == 8 and set(frame.model) == {"one", "two"} and set(frame.platform) == {"small", "large"}
    assert frame.attrs["units"]["throughput_per_s"] == "inferences/s"
    axes = sweep.plot().figure.axes[0]
    assert len(axes.lines) == 4 and "one · small" in [line.get_label() for line in axes.lines]
    assert sweep.progress == (8, 8) and client.find_sweep(sweep.id).terminal


def test_a_sweep_shows_one_bar(client: headrace.Client, server: Server) -> None:
    sweep = cell(client, spaces=None, models="one.onnx")
    seen: list[headrace.progress.Status] = []

    class Spy(headrace.Progress):
        def update(self, status: headrace.progress.Status) -> None:
            seen.append(status)

    for job_id in sweep.job_ids:
        server.run(job_id, trials=2)
    sweep.wait(progress=Spy(enabled=False), timeout=30)
    assert (seen[-1].done, seen[-1].total, seen[-1].state) == (4, 4, "ended")


def test_time_is_up_and_the_jobs_go_on(client: headrace.Client) -> None:
    sweep = cell(client, spaces=None, models="one.onnx")
    with pytest.raises(TimeoutError, match="goes on"):
        sweep.wait(timeout=0.2)
    assert sweep.cancel().refresh().terminal


def test_what_does_not_fit_is_refused_before_anything_is_sent(client: headrace.Client) -> None:
    before = count(client)
    for arguments, words in (
        ({"models": ["one.onnx", "one.onnx"]}, "same name"),
        ({"models": []}, "at least one"),
        ({"datasets": {"three": "x.npz"}}, "datasets are given for three; the models are one, two"),
        ({"dataset": "x.npz", "datasets": {}}, "not both"),
        ({"jobs": [{}]}, "belong to another form"),
        ({"models": None, "base": {}, "matrix": {}}, "takes no platforms="),
    ):
        with pytest.raises(headrace.HeadraceError, match=words):
            cell(client, **arguments)
    assert count(client) == before


def test_sweeps_are_listed_page_by_page() -> None:
    """The service's answer is played: pages as docs/api.md has them."""
    pages = {None: ([{"id": "b"}], "next"), "next": ([{"id": "a"}], None)}

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/sweeps"
        items, cursor = pages[request.url.params.get("cursor")]
        return httpx.Response(200, json={"items": items, "next_cursor": cursor})

    client = headrace.Client("http://played")
    client._link._http = httpx.Client(base_url="http://played", transport=httpx.MockTransport(answer))
    assert [sweep.id for sweep in client.sweeps()] == ["b", "a"]
    assert isinstance(client._link, Link) and requests.path("sweeps") == "/v1/sweeps"


def test_sweeps_are_listed_newest_first(
    client: headrace.Client, server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    first, second = (cell(client, platforms=[name], search={"trials": 1}) for name in ("u250", "xc7s6"))
    assert [sweep.id for sweep in client.sweeps()][:2] == [second.id, first.id]
    assert next(iter(client.sweeps())).job_ids == second.job_ids
    assert second.jobs()[0].model_name == "one"
    assert main(["sweeps"]) == Exit.DONE and first.id in capsys.readouterr().out
    assert main(["sweeps", "--json"]) == Exit.DONE
    assert [document["id"] for document in json.loads(capsys.readouterr().out)][:2] == [second.id, first.id]
    near = first.id[:-1] + ("0" if first.id[-1] != "0" else "1")
    assert main(["sweeps", near]) == Exit.NOT_FOUND and "did you mean" in capsys.readouterr().err
