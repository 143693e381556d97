import io
import json

import pytest
from rich.console import Console

from headrace import figures as readable
from headrace import tables
from headrace.cli import main
from headrace.cli.exits import Exit
from headrace.doctor import findings
from headrace.job import Job
from tests.api.harness import Server
from tests.api.test_jobs import NO_DESIGN


def run(capsys, *arguments: str) -> tuple[int, str]:
    status = main(arguments)
    out = capsys.readouterr()
    return status, out.out + out.err


def test_submit_status_pareto_export_cancel(server: Server, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.onnx").write_bytes(b"good model")
    (tmp_path / "body.json").write_text(json.dumps({"search": {"seed": 5}, "labels": {"a": "b"}}))
    status, out = run(
        capsys, "submit", "m.onnx", "--body", "body.json", "--trials", "3", "--device", "u250", "--devices", "2",
        "--constraint", "accuracy>=0.5", "--constraint", "meas_latency_ns <= 100", "--label", "c=d",
    )  # fmt: skip
    job_id = out.strip()
    spec = server.store.jobs.get(job_id).spec
    assert status == 0 and spec["search"]["seed"] == 5 and spec["search"]["trials"] == 3
    assert spec["platform"]["devices"][0]["count"] == 2 and spec["labels"] == {"a": "b", "c": "d"}
    assert [(c["metric"], c["min"], c["max"]) for c in spec["constraints"]] == [
        ("accuracy", 0.5, None), ("latency_ns", None, 100.0),
    ]  # fmt: skip
    rows = server.run(job_id)
    assert job_id in run(capsys, "status")[1]
    assert json.loads(run(capsys, "status", job_id, "--json")[1])["state"] == "succeeded"
    assert "3/3" in run(capsys, "status", job_id)[1]
    status, out = run(capsys, "pareto", job_id, "--plot", "front.png")
    assert "inf/s are those cycles at 100 MHz (requested)" in out
    assert status == 0 and "0.9000" in out and (tmp_path / "front.png").is_file()
    assert len(json.loads(run(capsys, "pareto", job_id, "--json")[1])) == 3
    assert run(capsys, "export", rows[0].id, "out.zip") == (0, "out.zip\n")
    assert "succeeded" in run(capsys, "cancel", job_id)[1]


def test_errors_are_one_line_and_a_status(server: Server, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    (tmp_path / "bad.onnx").write_bytes(b"bad")
    status, out = run(capsys, "submit", str(tmp_path / "bad.onnx"))
    assert status == Exit.REFUSED and "not an ONNX file" in out and "Traceback" not in out
    assert run(capsys, "export", "none")[0] == Exit.NOT_FOUND
    assert run(capsys, "submit", "x.onnx", "--constraint", "nonsense")[0] == Exit.USAGE
    assert run(capsys, "submti") == (Exit.USAGE, "headrace: No such command 'submti'. Did you mean 'submit'?\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no JSON file"),
        ("[1]", "no JSON object"),
        ('{"constraints": {}}', "constraints of the job body must be a list"),
        ('{"search": []}', "search of the job body must be an object"),
        ('{"search": {"wall_seconds": NaN}}', "cannot be written as JSON"),
        ('{"surprise": 1}', "/surprise: there is no such field"),
    ],
)
def test_body_files_that_are_refused(server: Server, tmp_path, monkeypatch, capsys, text: str, words: str) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    (tmp_path / "body.json").write_text(text)
    (tmp_path / "m.onnx").write_bytes(b"good model")
    status, out = run(capsys, "submit", str(tmp_path / "m.onnx"), "--body", str(tmp_path / "body.json"))
    assert (
        status == (Exit.REFUSED if "there is no such field" in words else Exit.ERROR)
        and words in out
        and out.count("\n") == 1
    ), out


def test_arguments_that_are_refused(server: Server, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    (tmp_path / "m.onnx").write_bytes(b"good model")
    model, before = str(tmp_path / "m.onnx"), len(server.http.get("/v1/jobs").json()["items"])
    for arguments, words, expected in (
        (("--body", str(tmp_path / "none.json")), "No such file", Exit.ERROR),
        (("--constraint", "est_lut<=1e"), "cannot read the constraint", Exit.USAGE),
        (("--devices", "2"), "give both", Exit.USAGE),
        (("--device", "u25O"), "there is no device u25O: did you mean u250", Exit.USAGE),
        (("--label", "team"), "write key=value", Exit.USAGE),
        (("--wall-seconds", "nan"), "cannot be written as JSON", Exit.ERROR),
    ):
        status, out = run(capsys, "submit", model, *arguments)
        assert status == expected and words in out and out.count("\n") == 1, out
    assert "config.json" in run(capsys, "submit", str(tmp_path))[1]
    assert len(server.http.get("/v1/jobs").json()["items"]) == before
    assert run(capsys, "status", "../models")[0] == Exit.NOT_FOUND  # an id is never a path
    job = server.submit()
    server.run(job["id"])
    assert "cannot be saved" in run(capsys, "pareto", job["id"], "--plot", str(tmp_path / "front.exe"))[1]
    (tmp_path / "null.json").write_text('{"constraints": null, "search": null, "labels": null}')
    assert run(capsys, "submit", model, "--body", str(tmp_path / "null.json"), "--trials", "1")[0] == 0


def test_nothing_feasible_is_a_failure_of_the_command(server: Server, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    (tmp_path / "m.onnx").write_bytes(b"good model")
    job = server.submit()
    assert run(capsys, "pareto", job["id"]) == (Exit.NO_DESIGN, "headrace: no feasible complete trial yet\n")
    picture = tmp_path / "none.png"
    assert run(capsys, "pareto", job["id"], "--plot", str(picture))[0] == Exit.NO_DESIGN and picture.is_file()
    server.run(job["id"], trials=0, end="no_feasible_design", failure=NO_DESIGN)
    status, out = run(capsys, "pareto", job["id"])
    assert status == Exit.NO_DESIGN and "accuracy >= 0.999: best 0.972 reached by trial 4" in out
    assert run(capsys, "pareto", job["id"], "--json") == (Exit.NO_DESIGN, "[]\n")
    assert "no_feasible_design" in run(capsys, "status", job["id"])[1]
    status, out = run(capsys, "status", job["id"], "--wait")
    assert status == Exit.NO_DESIGN and "best 0.972" in out
    monkeypatch.setattr(Job, "wait", lambda job, progress: server.run(job.id, 0, "budget_seconds") or job.refresh())
    status, out = run(capsys, "submit", str(tmp_path / "m.onnx"), "--wait")
    assert status == Exit.NO_DESIGN and "budget_seconds" in out


def test_short_figures() -> None:
    figures = {None: "–", 0: "0", 812: "812", 9999: "9999", 12345: "12.3k", 4560000: "4.56M", 0.98765: "0.988"}
    assert {value: readable.short(value) for value in figures} == figures


def test_doctor_finds_what_is_missing(monkeypatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("PATH", "/nonexistent")
    found = {item.name: item for item in findings()}
    assert not found["C++ compiler"].ok and "apt-get install g++" in found["C++ compiler"].remedy
    assert not found["make"].ok and not found["make"].needed
    assert found["Python"].ok and found["memory"].ok


def test_front_table_fits_narrow_terminals() -> None:
    candidate = {
        "quantization": {n: {"weight": "int8", "activation": "uint16"} for n in ("a", "b", "c")},
        "parallelism": {n: {"in_lanes": 4, "out_lanes": 8} for n in ("a", "b", "c")},
        "partition": {"a": 0, "b": 0, "c": 1},
    }
    metrics = {"accuracy": 0.98, "meas_latency_cycles": 11594, "throughput_per_s": 86805.0, "est_lut": 3645.2,
               "est_dsp": 13, "devices_used": 2, "clock_mhz": 12.5}  # fmt: skip
    exact = {"compared_words": 80, "mismatched_words": 0}
    trial = {
        "id": "t",
        "number": 116,
        "clock_source": "requested",
        "metrics": metrics,
        "candidate": candidate,
        "exact": exact,
    }
    for columns in (80, 100, 120):
        out = Console(width=columns, record=True, file=io.StringIO())
        out.print(tables.front_table([trial], columns))
        text = out.export_text()
        assert "…" not in text and "86.8k" in text
        assert ("4×8 4×8 4×8" in text) == (columns >= 100)


def test_spread_keeps_every_number_of_devices() -> None:
    front = [
        {"id": str(n), "number": n, "metrics": {"est_lut": n, "devices_used": 2 if n == 31 else 1}} for n in range(60)
    ]
    shown = tables.spread(front, 24)
    assert len(shown) <= 24 and {t["metrics"]["devices_used"] for t in shown} == {1, 2}
    assert shown[0]["number"] == 0 and shown[-1]["number"] == 59
