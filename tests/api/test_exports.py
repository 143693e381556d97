import csv
import io
import json
from datetime import datetime

import pytest
from pyarrow import parquet

from api.routes import exports
from tests.api.harness import Server, problem, result


def test_trials_as_a_table(server: Server) -> None:
    job = server.submit(search={"trials": 300})["id"]
    rows = server.run(job, trials=205)  # more than one page
    answer = server.http.get(f"/v1/jobs/{job}/trials.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{job}.csv"'
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["id"], row["number"]) for row in table] == [(row.id, str(row.number)) for row in rows]
    assert {row["state"] for row in table} == {"complete"}
    assert float(table[2]["accuracy"]) == 0.9 - 0.02 and float(table[2]["violation:accuracy"]) == -0.4
    assert (table[2]["weight:fc"], table[2]["out_lanes:fc"], table[2]["device:fc"]) == ("int4", "3", "0")


def test_columns_are_what_any_trial_has(server: Server) -> None:
    job = server.submit()["id"]
    lease = server.store.searches.claim(job, "test", 60)
    for number, metrics in enumerate(({"est_lut": 5.0}, {"accuracy": 0.5, "est_lut": 7.0})):
        candidate = {
            "quantization": {"a, b": {"weight": None, "activation": "int8"}},
            "parallelism": {},
            "partition": {},
        }
        trial = server.store.searches.add_trial(job, lease.fence, candidate, f"c{number}")
        held = server.store.work.claim(trial.id, "test", 60)
        state = "complete" if number else "infeasible"
        reason = None if number else 'too "large",\nby far'
        server.store.work.record_result(trial.id, held.fence, {"state": state, "metrics": metrics, "reason": reason})
    first, second = csv.DictReader(io.StringIO(server.http.get(f"/v1/jobs/{job}/trials.csv").text))
    assert (first["accuracy"], first["est_lut"], second["accuracy"]) == ("", "5.0", "0.5")
    assert first["reason"] == 'too "large",\nby far' and first["activation:a, b"] == "int8"
    assert "weight:a, b" not in first


def test_trials_as_json(server: Server) -> None:
    job = server.submit()["id"]
    assert server.http.get(f"/v1/jobs/{job}/trials.json").json() == []
    rows = server.run(job, trials=3)
    trials = json.loads(server.http.get(f"/v1/jobs/{job}/trials.json").text)
    assert trials == [server.http.get(f"/v1/trials/{row.id}").json() for row in rows]


def splits(server: Server, number: int, device: int | list[int], result: dict) -> None:
    """One more trial of the newest job, its one node on these devices."""
    job = server.http.get("/v1/jobs?limit=1").json()["items"][0]["id"]
    lease = server.store.searches.claim(job, "test", 60)
    plan = {
        "quantization": {"fc": {"weight": "int4", "activation": "int8"}},
        "parallelism": {"fc": {"in_lanes": 1, "out_lanes": 2}},
        "partition": {"fc": device},
    }
    trial = server.store.searches.add_trial(job, lease.fence, plan, f"c{number}")
    held = server.store.work.claim(trial.id, "test", 60)
    server.store.work.record_result(trial.id, held.fence, result)
    server.store.searches.release(job, lease.fence)


def told(trial: dict) -> dict:
    """A trial of the JSON export as a row of the Parquet file: what it does not have is None."""
    plan = trial["candidate"]
    times = {name: datetime.fromisoformat(trial[name]) for name in ("created_at", "started_at", "finished_at")}
    return {
        **{name: trial[name] for name in ("id", "number", "state", "reason", "attempts", "clock_source")},
        **times,
        **trial["metrics"],
        **{f"violation:{name}": value for name, value in trial["constraints"].items()},
        **{f"weight:{node}": one["weight"] for node, one in plan["quantization"].items()},
        **{f"activation:{node}": one["activation"] for node, one in plan["quantization"].items()},
        **{f"{side}:{node}": one[side] for node, one in plan["parallelism"].items() for side in one},
        **{f"device:{node}": one if isinstance(one, list) else [one] for node, one in plan["partition"].items()},
    }


def test_parquet_is_the_json_export_typed_with_units(server: Server) -> None:
    job = server.submit(search={"trials": 9})["id"]
    splits(server, 0, 0, result(0))
    splits(server, 1, [0, 1], {"state": "infeasible", "reason": "too large", "metrics": {"est_lut": 5}})
    answer = server.http.get(f"/v1/jobs/{job}/trials.parquet")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"] == f'attachment; filename="{job}.parquet"'
    table = parquet.read_table(io.BytesIO(answer.content))
    found = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    trials = server.http.get(f"/v1/jobs/{job}/trials.json").json()
    assert found == [{name: value for name, value in told(trial).items() if value is not None} for trial in trials]
    header = next(csv.reader(io.StringIO(server.http.get(f"/v1/jobs/{job}/trials.csv").text)))
    assert table.column_names == header

    types = {field.name: str(field.type) for field in table.schema}
    assert types["created_at"] == "timestamp[us, tz=UTC]" and types["est_lut"] == "double"
    assert (types["number"], types["weight:fc"], types["device:fc"]) == ("int64", "string", "list<element: int64>")
    units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in table.schema}
    assert (units["clock_mhz"], units["throughput_per_s"]) == ("MHz", "inferences/s")
    assert units["accuracy"] == units["violation:accuracy"] == units["id"] == ""


def test_devices_are_plain_numbers_where_no_node_is_split(server: Server) -> None:
    job = server.submit()["id"]
    server.run(job, trials=2)
    table = parquet.read_table(io.BytesIO(server.http.get(f"/v1/jobs/{job}/trials.parquet").content))
    assert str(table.schema.field("device:fc").type) == "int64" and table["device:fc"].to_pylist() == [0, 0]


def test_a_job_without_trials_is_a_table_without_rows(server: Server) -> None:
    job = server.submit()["id"]
    table = parquet.read_table(io.BytesIO(server.http.get(f"/v1/jobs/{job}/trials.parquet").content))
    assert table.num_rows == 0 and table.column_names[:2] == ["id", "number"]


def test_parquet_says_how_to_get_it(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    job = server.submit()["id"]
    for kind in ("csv", "json", "parquet"):
        problem(server.http.get(f"/v1/jobs/none/trials.{kind}"), 404, "not-found")
    monkeypatch.setattr(exports, "find_spec", lambda _: None)
    document = problem(server.http.get(f"/v1/jobs/{job}/trials.parquet"), 501, "not-implemented")
    assert "pip install 'headrace-service[parquet]'" in document["detail"]


def test_a_routed_clock_is_in_tables_and_points(server: Server) -> None:
    job = server.submit()["id"]
    slow = {"meas_fmax_mhz": 50.0, "clock_mhz": 50.0}
    part = {"part": "LFE5U-25F-8BG381C", "fmax_mhz": 50.0}
    answer = {"routed": part, "devices": [part], "reason": None, "metrics": slow}
    server.run(job, trials=3, routings=(answer, answer | {"routed": None, "metrics": {}}))
    trials = server.http.get(f"/v1/jobs/{job}/trials.json").json()
    rows = list(csv.DictReader(io.StringIO(server.http.get(f"/v1/jobs/{job}/trials.csv").text)))
    points = sorted(server.http.get(f"/v1/jobs/{job}/points").json()["items"], key=lambda point: point["number"])
    assert [trial["clock_source"] for trial in trials] == ["routed", "requested", "requested"]
    for trial, row, point in zip(trials, rows, points, strict=True):
        assert (point["metrics"], point["clock_source"]) == (trial["metrics"], trial["clock_source"])
        assert (float(row["clock_mhz"]), row["clock_source"]) == (trial["metrics"]["clock_mhz"], trial["clock_source"])


def test_activity_is_built_once_and_goes_with_its_job(server: Server) -> None:
    job = server.submit()["id"]
    trial = server.run(job, trials=1)[0]
    before = server.parser.calls.count("activity")
    answers = [server.http.get(f"/v1/trials/{trial.id}/activity") for _ in range(2)]
    assert all(a.json() == {"traceEvents": []} for a in answers)
    assert f"{job}-trial-0.trace.json" in answers[0].headers["content-disposition"]
    assert server.parser.calls.count("activity") == before + 1
    files = [server.home / "bundles" / f"{trial.id}{suffix}" for suffix in (".trace.json", ".zip")]
    server.http.get(f"/v1/trials/{trial.id}/rtl")
    assert all(path.is_file() for path in files)
    assert server.http.delete(f"/v1/jobs/{job}").status_code == 204
    assert not any(path.exists() for path in files)
    problem(server.http.get("/v1/trials/none/activity"), 404, "not-found")
