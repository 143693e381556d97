import json
from datetime import datetime

from api.routes.points import PointView
from tests.api.harness import DETAIL, Server, problem


def follow(server: Server, job_id: str, last: int | None = None) -> list[dict]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    events, current = [], {}
    with server.http.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if not line:
                if "data" in current:
                    events.append(current)
                current = {}
                continue
            name, _, value = line.partition(": ")
            current[name] = value
    return events


def test_trials_pareto_and_one_trial(server: Server) -> None:
    job = server.submit()
    rows = server.run(job["id"], trials=5)
    url = f"/v1/jobs/{job['id']}"
    page = server.http.get(f"{url}/trials", params={"limit": 3}).json()
    rest = server.http.get(f"{url}/trials", params={"limit": 3, "cursor": page["next_cursor"]}).json()
    trials = page["items"] + rest["items"]
    assert [t["id"] for t in trials] == [row.id for row in rows] and rest["next_cursor"] is None
    newer = server.http.get(f"{url}/trials", params={"since_seq": trials[2]["seq"]}).json()["items"]
    assert [t["number"] for t in newer] == [3, 4]
    assert server.http.get(f"{url}/trials", params={"state": "infeasible"}).json()["items"] == []
    front = server.http.get(f"{url}/pareto").json()
    assert len(front["items"]) == 5 and front["next_cursor"] is None

    plain = server.http.get(f"/v1/trials/{rows[0].id}").json()
    assert plain["exact"] == {"compared_words": 40, "mismatched_words": 0, "samples": 4}
    assert plain["candidate"]["parallelism"] == {"fc": {"in_lanes": 1, "out_lanes": 1}}
    assert "operators" not in plain["metrics"]
    detailed = server.http.get(f"/v1/trials/{rows[0].id}", params={"detail": "operators"}).json()
    for part in ("operators", "streams", "devices", "hops"):
        assert detailed["metrics"][part] == DETAIL[part]
    attempts = server.http.get(f"/v1/trials/{rows[0].id}/attempts").json()["items"]
    assert [a["outcome"] for a in attempts] == ["complete"]
    summary = server.http.get(url).json()
    assert summary["best"]["accuracy"]["value"] == 0.9 and summary["hypervolume"] == 1.5


def test_a_routed_clock_lies_over_the_figures_of_the_search(server: Server) -> None:
    job = server.submit()
    slow = {"meas_fmax_mhz": 50.0, "clock_mhz": 50.0, "throughput_per_s": 10.0}
    part = {"part": "LFE5U-25F-8BG381C", "fmax_mhz": 50.0, "lut": 7}
    stage = {"name": "route", "seconds": 9.0, "cache_hit": False}
    answer = {"routed": part, "devices": [part], "reason": None, "metrics": slow, "stage": stage}
    failed = answer | {"routed": None, "metrics": {}, "reason": "device 0: it does not fit"}
    rows = server.run(job["id"], trials=3, routings=(answer, failed))
    first, second, third = (server.http.get(f"/v1/trials/{row.id}").json() for row in rows)
    assert {name: first["metrics"][name] for name in slow} == slow
    assert first["metrics"]["accuracy"] == 0.9, "the rest stays"
    assert (first["routing"], first["clock_source"], first["routing_reason"]) == ("done", "routed", None)
    assert first["routed"] == part | {"devices": [part]} and first["stages"][-1]["name"] == "route"
    assert (second["routed"], second["routing_reason"]) == (None, "device 0: it does not fit")
    assert second["clock_source"] == third["clock_source"] != "routed" and second["metrics"]["clock_mhz"] == 100.0
    assert (third["routing"], third["routed"], third["routing_reason"]) == (None, None, None)
    front = server.http.get(f"/v1/jobs/{job['id']}/pareto").json()["items"]
    assert [t["id"] for t in front] == [row.id for row in rows], "as the search found it"


def test_unknown_trials(server: Server) -> None:
    for path in ("/v1/trials/none", "/v1/trials/none/rtl", "/v1/trials/..%2f..%2fetc%2fpasswd/rtl", "/v1/trials/%00"):
        problem(server.http.get(path), 404, "not-found")
    problem(server.http.get("/v1/jobs/none/trials"), 404, "not-found")
    job = server.submit()
    problem(server.http.get(f"/v1/jobs/{job['id']}/trials?cursor=WzFlOTld"), 400, "bad-cursor")
    problem(server.http.get(f"/v1/jobs/{job['id']}/trials?since_seq=-1"), 422, "invalid-body")
    problem(server.http.get(f"/v1/jobs/{job['id']}/trials?since_seq=99999999999999999999"), 422, "invalid-body")


def test_bundle_is_built_once_and_only_for_complete_trials(server: Server) -> None:
    job = server.submit()
    trial = server.run(job["id"], trials=1)[0]
    before = server.parser.calls.count("bundle")
    answers = [server.http.get(f"/v1/trials/{trial.id}/rtl") for _ in range(2)]
    assert all(a.headers["content-type"] == "application/zip" and a.content[:2] == b"PK" for a in answers)
    assert "attachment" in answers[0].headers["content-disposition"]
    octets = server.http.get(f"/v1/trials/{trial.id}/rtl", headers={"Accept": "application/octet-stream"})
    assert octets.headers["content-type"] == "application/octet-stream" and octets.content == answers[0].content
    assert server.parser.calls.count("bundle") == before + 1

    job = server.submit()
    lease = server.store.searches.claim(job["id"], "test", 60)
    waiting = server.store.searches.add_trial(
        job["id"], lease.fence, {"quantization": {}, "parallelism": {}, "partition": {}}, "x"
    )
    problem(server.http.get(f"/v1/trials/{waiting.id}/rtl"), 409, "trial-not-complete")


def test_events_are_gapless_and_end(server: Server) -> None:
    job = server.submit()
    server.run(job["id"])
    events = follow(server, job["id"])
    assert [int(e["id"]) for e in events] == list(range(1, len(events) + 1))
    assert events[-1]["event"] == "end" and json.loads(events[-1]["data"]) == {"state": "succeeded"}
    assert sum(e["event"] == "end" for e in events) == 1
    # From anywhere, the rest comes, each event once; from the end, only the end again.
    for last in (1, len(events) // 2, len(events) - 1):
        assert [int(e["id"]) for e in follow(server, job["id"], last)] == list(range(last + 1, len(events) + 1))
    assert [e["event"] for e in follow(server, job["id"], len(events))] == ["end"]


def test_events_arrive_while_the_job_runs(server: Server) -> None:
    job = server.submit()
    with server.http.stream("GET", f"/v1/jobs/{job['id']}/events") as answer:
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: job"
        server.run(job["id"], trials=1)
        rest = [line for line in lines if line.startswith("event:")]
    assert rest[-1] == "event: end" and "event: trial" in rest


def test_events_refuse_what_is_not_an_id(server: Server) -> None:
    job = server.submit()
    for bad in ("x", "-1", "1e3", "9" * 30, "99", "1; DROP TABLE events"):
        answer = server.http.get(f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": bad})
        problem(answer, 400, "bad-request")
    problem(server.http.get("/v1/jobs/none/events"), 404, "not-found")


def test_points_are_the_trials_at_less_cost(server: Server) -> None:
    job = server.submit()
    server.run(job["id"], trials=5, end=None)
    url = f"/v1/jobs/{job['id']}"
    trials = server.http.get(f"{url}/trials").json()["items"]
    first = server.http.get(f"{url}/points", params={"limit": 3}).json()
    rest = server.http.get(f"{url}/points", params={"since_seq": first["next_seq"]}).json()
    points = first["items"] + rest["items"]
    assert len(first["items"]) == 3 and rest["next_seq"] is None
    links = [server.http.get(f"{url}/points", params={"limit": limit}).links for limit in (3, 5)]
    assert server.http.get(links[0]["next"]["url"]).json() == rest and "next" not in links[1]
    same = ("id", "number", "seq", "state", "reason", "stage", "attempts", "cached_from", "sign_off", "clock_source",
            "metrics", "constraints", "candidate")  # fmt: skip
    assert [{name: point[name] for name in same} for point in points] == [
        {name: trial[name] for name in same} for trial in trials
    ]
    for point, trial in zip(points, trials, strict=True):
        assert set(point) == set(PointView.model_fields)
        for time in ("created_at", "started_at", "finished_at"):
            assert abs(point[time] - datetime.fromisoformat(trial[time]).timestamp()) < 1e-5
    problem(server.http.get("/v1/jobs/none/points"), 404, "not-found")
    problem(server.http.get(f"{url}/points?limit=5001"), 422, "invalid-body")
