"""The short history of the hypervolume in a job's row, and searches of jobs, on both databases."""

from db.history import POINTS, extended
from db.rows import VolumePoint
from db.store import Store
from tests.db.given import add, complete, driven, new_job


def point(trials: int, volume: float) -> VolumePoint:
    return VolumePoint(trials=trials, seconds=float(trials), hypervolume=volume)


def test_what_is_missed_least_is_left_out() -> None:
    history: list[VolumePoint] = []
    for trials in range(1, 1001):
        history = extended(history, point(trials, trials // 100 / 10 + trials * 1e-9))
        assert len(history) <= POINTS
    assert (history[0]["trials"], history[-1]["trials"]) == (1, 1000)
    steps = {p["trials"] for p in history}
    assert set(range(100, 1001, 100)) <= steps, "the great steps are all there"


def test_a_point_is_stored_where_the_hypervolume_grew(store: Store) -> None:
    job, lease = driven(store)
    trials = [add(store, job, lease, name) for name in "abc"]
    for trial, volume in zip(trials, (None, 0.25, 0.25), strict=True):
        complete(store, trial)
        assert store.searches.set_progress(job.id, lease.fence, volume, {}, [trial.id])
    found = store.jobs.get(job.id).history
    assert [(p["trials"], p["hypervolume"]) for p in found] == [(2, 0.25)] and found[0]["seconds"] >= 0
    assert store.events.hypervolume(job.id) == found
    assert [e.data["trials_done"] for e in store.events.after(job.id) if e.type == "progress"] == [1, 2, 3]


def test_jobs_are_found_by_text(store: Store) -> None:
    store.models.add("sha256:m", "Camera 50%", "onnx", 1, {}, [])
    one = store.jobs.create(new_job(labels={"team": "Edge_One"})).job
    two = store.jobs.create(new_job()).job
    assert one.model_name == "Camera 50%"

    def found(**query: str) -> list[str]:
        return [job.id for job in store.jobs.page(**query).items]  # type: ignore[arg-type]

    assert found(text="edge_o") == [one.id] and found(text="edge%o") == [] == found(text="a_b")
    assert found(text="cAMERA 50%") == [two.id, one.id] == found(model="Camera 50%") == found(model="sha256:m")
    assert found(text=two.id[6:]) == [two.id] and found(model="camera 50%") == []
