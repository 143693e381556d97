"""The asynchronous client does what the blocking one does: the same calls, awaited."""

import asyncio
import inspect
import threading

import httpx
import pytest

import headrace
from headrace.http import delivery
from headrace.http.steps import Pause
from tests.api.harness import Server

PAIRS = [
    (headrace.Client, headrace.AsyncClient),
    (headrace.Job, headrace.AsyncJob),
    (headrace.Trial, headrace.AsyncTrial),
    (headrace.Sweep, headrace.AsyncSweep),
]


@pytest.mark.parametrize(("blocking", "awaited"), PAIRS)
def test_both_have_the_same_methods_with_the_same_arguments(blocking: type, awaited: type) -> None:
    def methods(kind: type) -> dict[str, list[inspect.Parameter]]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: list(inspect.signature(method).parameters.values())
            for name, method in found
            if not name.startswith("_")
        }

    assert methods(blocking) == methods(awaited)


def test_submit_follow_and_read(server: Server, tmp_path) -> None:
    async def explore() -> None:
        async with headrace.AsyncClient(server.url) as client:
            job = await client.submit(b"good model", name="mine", search={"trials": 3})
            player = threading.Timer(0.3, server.run, (job.id, 3))
            player.start()
            kinds = [event.event async for event in job.events()]
            player.join()
            assert kinds[-1] == "end" and "trial" in kinds
            assert (await job.wait(timeout=30)).state == "succeeded"
            trials = [trial async for trial in job.trials()]
            assert [trial.number for trial in trials] == [0, 1, 2] and isinstance(trials[0], headrace.AsyncTrial)
            assert (await job.best()).number == 2 and len(await job.pareto()) == 3
            assert list((await job.trials_dataframe()).number) == [0, 1, 2]
            assert (await job.plot())._repr_png_()[:4] == b"\x89PNG"
            assert (await trials[0].write_bundle(tmp_path / "b.zip")).read_bytes()[:2] == b"PK"
            assert len((await job.to_optuna()).trials) == 3
            assert job.id in [j.id async for j in client.jobs(state="succeeded")]
            await job.delete()
            with pytest.raises(headrace.Gone):
                await client.job(job.id)

    asyncio.run(explore())


def test_many_jobs_are_followed_at_the_same_time(server: Server) -> None:
    async def explore() -> list[str]:
        async with headrace.AsyncClient(server.url) as client:
            jobs = [await client.submit(b"good model", search={"seed": seed, "trials": 1}) for seed in range(3)]
            player = threading.Timer(0.3, lambda: [server.run(job.id, 1) for job in reversed(jobs)])
            player.start()
            await asyncio.gather(*(job.wait(timeout=30) for job in jobs))
            player.join()
            return [job.state for job in jobs]

    assert asyncio.run(explore()) == ["succeeded"] * 3


def test_a_lost_answer_is_asked_for_again_and_makes_one_job(server: Server, monkeypatch) -> None:
    monkeypatch.setattr(delivery, "pause", lambda attempt, retry_after: Pause(0))
    lost: list[str] = []

    async def explore() -> str:
        async with headrace.AsyncClient(server.url) as client:
            send = client._link._http.send

            async def lossy(request: httpx.Request, **options: object) -> httpx.Response:
                answer = await send(request, **options)
                if request.url.path == "/v1/jobs" and not lost:
                    lost.append(answer.json()["id"])
                    raise httpx.ReadError("lost")
                return answer

            monkeypatch.setattr(client._link._http, "send", lossy)
            return (await client.submit(b"good model")).id

    assert asyncio.run(explore()) == lost[0]


def test_a_cancelled_task_ends_its_wait_only(server: Server) -> None:
    async def explore() -> None:
        async with headrace.AsyncClient(server.url) as client:
            job = await client.submit(b"good model")
            waiting = asyncio.create_task(job.wait())
            await asyncio.sleep(0.3)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert not (await job.refresh()).terminal
            await job.cancel()

    asyncio.run(explore())
