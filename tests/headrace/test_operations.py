"""Every operation of the HTTP contract has a method in both clients and a command, and these send it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import headrace
from headrace.cli import cli, main
from headrace.cli.exits import Exit
from tests.api.harness import Server


@dataclasses.dataclass
class World:
    """What calls are about: a client, handles made by it, and ids."""

    client: Any
    queued: Any
    ended: Any
    trial: Any
    sweep: Any
    ids: dict[str, str]


Call = Callable[[World], Any]
# operation -> what calls it, the command that does. A command's {names} are ids of the world.
OPERATIONS: dict[str, tuple[Call, str]] = {
    "uploadModel": (lambda w: w.client.upload_model(b"good model"), "upload m.onnx"),
    "listModels": (lambda w: w.client.models(), "models"),
    "getModel": (lambda w: w.client.model(w.ids["model"]), "models {model}"),
    "deleteModel": (lambda w: w.client.delete_model(w.ids["unused"]), "delete {unused}"),
    "uploadDataset": (lambda w: w.client.upload_dataset("d.npz"), "upload d.npz --dataset"),
    "listDatasets": (lambda w: w.client.datasets(), "datasets"),
    "getDataset": (lambda w: w.client.dataset(w.ids["dataset"]), "datasets {dataset}"),
    "submitJob": (lambda w: w.client.submit(w.ids["model"]), "submit {model}"),
    "listJobs": (lambda w: w.client.jobs(search="m.onnx"), "status --search m.onnx"),
    "getJob": (lambda w: w.client.job(w.ids["ended"]), "status {ended}"),
    "limitJob": (lambda w: w.queued.limit(trials=5), "limit {queued} --trials 5"),
    "deleteJob": (lambda w: w.ended.delete(), "delete {ended}"),
    "pauseJob": (lambda w: w.queued.pause(), "pause {queued}"),
    "resumeJob": (lambda w: w.queued.resume(), "resume {queued}"),
    "stopJob": (lambda w: w.queued.stop(), "stop {queued}"),
    "cancelJob": (lambda w: w.queued.cancel(), "cancel {queued}"),
    "getPareto": (lambda w: w.ended.pareto(), "pareto {ended}"),
    "getHypervolume": (lambda w: w.ended.hypervolume(), "hypervolume {ended}"),
    "getImportance": (lambda w: w.ended.importance(), "importance {ended}"),
    "listTrials": (lambda w: w.ended.trials(), "trials {ended}"),
    "listPoints": (lambda w: w.ended.points(), "points {ended}"),
    "exportTrialsCsv": (lambda w: w.ended.write_trials("t.csv"), "trials {ended} --output t.csv"),
    "exportTrialsJson": (lambda w: w.ended.write_trials("t.json"), "trials {ended} --output t.json"),
    "exportTrialsParquet": (lambda w: w.ended.write_trials("t.parquet"), "trials {ended} -o t.parquet"),
    "followJob": (lambda w: w.ended.events(), "logs {ended}"),
    "getTrial": (lambda w: w.client.trial(w.ids["trial"]), "trial {trial}"),
    "listAttempts": (lambda w: w.trial.attempts(), "trial {trial} --attempts"),
    "getBundle": (lambda w: w.trial.write_bundle("b.zip"), "export {trial} b.zip"),
    "getActivity": (lambda w: w.trial.write_activity("a.json"), "activity {trial} a.json"),
    "submitSweep": (lambda w: w.client.sweep([{"model": w.ids["model"]}]), "sweep sweep.json"),
    "listSweeps": (lambda w: w.client.sweeps(), "sweeps"),
    "getSweep": (lambda w: w.client.find_sweep(w.ids["sweep"]), "sweeps {sweep}"),
    "cancelSweep": (lambda w: w.sweep.cancel(), "cancel {sweep}"),
    "listDevices": (lambda w: w.client.devices(), "devices"),
    "getDevice": (lambda w: w.client.device("u250"), "devices u250"),
    "ready": (lambda w: w.client.ready(), "service"),
    "version": (lambda w: w.client.version(), "service"),
    "serviceHealth": (lambda w: w.client.health(), "health"),
    "metrics": (lambda w: w.client.metrics(), "health --metrics"),
}  # fmt: skip
WITHOUT = {"health": "a load balancer's probe of one process: whoever gets any other answer knows as much"}
# What prints no documents of the service; `api` prints nothing else.
WITHOUT_JSON = {"serve", "demo", "api", "completion"}


@pytest.fixture
def ids(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One of everything, in a folder with what can be uploaded."""
    monkeypatch.setenv("HEADRACE_URL", server.url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.onnx").write_bytes(b"good model")
    (tmp_path / "d.npz").write_bytes(b"PK data")
    ended = server.submit()
    trial = server.run(ended["id"], trials=1)[0].id
    unused = server.http.post("/v1/models", files={"file": ("u.onnx", b"good and unused")}).json()["id"]
    dataset = server.http.post("/v1/datasets", files={"file": ("d.npz", b"PK data")}).json()["id"]
    sweep = server.http.post("/v1/sweeps", json={"jobs": [{"model": ended["model"]}]}).json()["id"]
    (tmp_path / "sweep.json").write_text(json.dumps({"jobs": [{"model": ended["model"]}]}))
    return {
        "ended": ended["id"], "queued": server.submit()["id"], "trial": trial, "model": ended["model"],
        "unused": unused, "dataset": dataset, "sweep": sweep,
    }  # fmt: skip


@pytest.fixture(scope="module")
def contract(server: Server) -> dict[str, tuple[str, re.Pattern[str]]]:
    """Operation -> method and what its paths look like."""
    paths = server.http.get("/openapi.json").json()["paths"]
    return {
        operation["operationId"]: (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]+", path)))
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def test_no_operation_is_left_out(contract: dict[str, Any]) -> None:
    assert set(OPERATIONS) | set(WITHOUT) == set(contract) and not set(OPERATIONS) & set(WITHOUT)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_client_calls_it(server: Server, contract: dict, ids: dict[str, str], operation: str) -> None:
    seen: list[tuple[str, str]] = []
    with headrace.Client(server.url) as client:
        world = World(client, client.job(ids["queued"]), client.job(ids["ended"]), client.trial(ids["trial"]),
                      client.find_sweep(ids["sweep"]), ids)  # fmt: skip
        client._link._http.event_hooks["request"] = [lambda r: seen.append((r.method, r.url.path))]
        with contextlib.suppress(headrace.ServerError):  # Parquet, where the service has nothing that writes it
            answer = OPERATIONS[operation][0](world)
            if isinstance(answer, Iterator):
                list(answer)
    assert _sent(contract[operation], seen), seen


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_asynchronous_client_calls_it(server: Server, contract: dict, ids: dict[str, str], operation: str) -> None:
    seen: list[tuple[str, str]] = []

    async def note(request: httpx.Request) -> None:
        seen.append((request.method, request.url.path))

    async def call() -> None:
        async with headrace.AsyncClient(server.url) as client:
            world = World(client, await client.job(ids["queued"]), await client.job(ids["ended"]),
                          await client.trial(ids["trial"]), await client.find_sweep(ids["sweep"]), ids)  # fmt: skip
            client._link._http.event_hooks["request"] = [note]
            with contextlib.suppress(headrace.ServerError):
                await _finish(OPERATIONS[operation][0](world))

    asyncio.run(call())
    assert _sent(contract[operation], seen), seen


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_command_calls_it(
    contract: dict, ids: dict[str, str], operation: str, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    seen: list[tuple[str, str]] = []
    send = httpx.Client.send

    def noted(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        seen.append((request.method, request.url.path))
        return send(client, request, **options)

    monkeypatch.setattr(httpx.Client, "send", noted)
    status = main(OPERATIONS[operation][1].format(**ids).split())
    out = capsys.readouterr()
    # No worker runs here: what asks whether jobs would run says so.
    assert status in (Exit.DONE, Exit.UNREACHABLE), out.err
    assert _sent(contract[operation], seen), seen


def test_every_command_that_shows_something_has_json() -> None:
    with_json = {name for name, command in cli.commands.items() if any(p.name == "as_json" for p in command.params)}
    assert set(cli.commands) - with_json == WITHOUT_JSON


def _sent(operation: tuple[str, re.Pattern[str]], seen: list[tuple[str, str]]) -> bool:
    method, path = operation
    return any(method == sent and path.fullmatch(place) for sent, place in seen)


async def _finish(answer: Awaitable[Any] | AsyncIterator[Any]) -> None:
    if isinstance(answer, AsyncIterator):
        async for _ in answer:
            pass
    else:
        await answer
