import csv
import io
import json

from tests.api.harness import Server, problem


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


def test_parquet_says_how_to_get_it(server: Server) -> None:
    job = server.submit()["id"]
    document = problem(server.http.get(f"/v1/jobs/{job}/trials.parquet"), 501, "not-implemented")
    assert "to_parquet" in document["detail"]
    for kind in ("csv", "json", "parquet"):
        problem(server.http.get(f"/v1/jobs/none/trials.{kind}"), 404, "not-found")


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
