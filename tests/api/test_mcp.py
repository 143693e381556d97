"""The tools over MCP, with the SDK's own client against a running service."""

import contextlib
from collections.abc import AsyncIterator

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.api.harness import Server, problem, serving

TOKEN = "a-secret-of-enough-length"


@contextlib.asynccontextmanager
async def connected(server: Server, token: str | None = None) -> AsyncIterator[Client]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
    ):
        yield client


def call(server: Server, tool: str, **arguments: object) -> tuple[dict, bool]:
    async def run() -> tuple[dict, bool]:
        async with connected(server) as client:
            result = await client.call_tool(tool, arguments)
            return result.structured_content, result.is_error

    return anyio.run(run)


def answered(server: Server, tool: str, **arguments: object) -> dict:
    answer, refused = call(server, tool, **arguments)
    assert not refused, answer
    return answer


def test_tools_are_described(server: Server) -> None:
    async def run() -> dict:
        async with connected(server) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    tools = anyio.run(run)
    assert set(tools) == {"submit_job", "job_status", "pareto_front", "explain_refusal"}
    assert all(tool.description and tool.input_schema["type"] == "object" for tool in tools.values())
    assert "model" in tools["submit_job"].input_schema["$defs"]["JobBody"]["properties"]


def test_submit_follow_and_read_the_front(server: Server) -> None:
    body = {"model": server.model(), "labels": {"by": "agent"}}
    job = answered(server, "submit_job", job=body, idempotency_key="agent-1")
    assert job == server.http.get(f"/v1/jobs/{job['id']}").json()
    assert answered(server, "submit_job", job=body, idempotency_key="agent-1")["id"] == job["id"]
    other, refused = call(server, "submit_job", job={**body, "labels": {}}, idempotency_key="agent-1")
    assert refused and other["type"].endswith("idempotency-mismatch")
    server.run(job["id"], trials=3)
    status = answered(server, "job_status", job_id=job["id"])
    assert (status["state"], status["progress"]["trials_done"]) == ("succeeded", 3)
    front = answered(server, "pareto_front", job_id=job["id"])["items"]
    assert front == server.http.get(f"/v1/jobs/{job['id']}/pareto").json()["items"] and len(front) == 3


def test_refusals_are_explained(server: Server) -> None:
    model = server.model()
    jobs = len(server.http.get("/v1/jobs", params={"limit": 500}).json()["items"])
    impossible = {"model": model, "constraints": [{"metric": "est_lut", "max": 0.5}]}
    why = answered(server, "explain_refusal", job=impossible)
    assert why["refused"] and why["problem"]["type"].endswith("unsatisfiable")
    assert why["problem"]["errors"] == [{"pointer": "/constraints/0", "detail": "one lane needs 812 LUT"}]
    fine = answered(server, "explain_refusal", job={"model": model})
    assert fine == {"refused": False, "trials_total": 100, "metric": "agreement"}
    assert len(server.http.get("/v1/jobs", params={"limit": 500}).json()["items"]) == jobs  # nothing was started

    job = server.submit()["id"]
    trial = server.run(job, trials=1, end="no_feasible_design", failure=FAILURE)[0]
    failed = answered(server, "explain_refusal", job_id=job)
    assert failed["end_reason"] == "no_feasible_design" and failed["failure"]["message"] == "nothing fits"
    assert answered(server, "explain_refusal", trial_id=trial.id)["constraints"] == {"accuracy": -0.4}


FAILURE = {"code": "no-feasible-design", "message": "nothing fits", "retryable": False}


@pytest.mark.parametrize(
    ("tool", "arguments", "slug"),
    [
        ("submit_job", {"job": {"model": "sha256:" + "0" * 64}}, "unknown-reference"),
        ("submit_job", {"job": {"model": "x", "surprise": 1}}, "invalid-body"),
        ("submit_job", {}, "invalid-body"),
        ("job_status", {"job_id": "none"}, "not-found"),
        ("job_status", {"job_id": "a\x00b"}, "invalid-body"),
        ("pareto_front", {"job_id": 5}, "invalid-body"),
        ("explain_refusal", {}, "invalid-body"),
        ("explain_refusal", {"job_id": "a", "trial_id": "b"}, "invalid-body"),
    ],
)
def test_refused_calls_are_problem_documents(server: Server, tool: str, arguments: dict, slug: str) -> None:
    document, refused = call(server, tool, **arguments)
    assert refused and document["type"] == f"urn:headrace:problem:{slug}" and document["detail"]


def test_unknown_tools_are_refused(server: Server) -> None:
    answer, refused = call(server, "format_disk")
    assert refused and "submit_job" in answer["detail"]


def test_the_guard_stands_before_it(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    problem(server.http.post("/mcp", json=message, headers={"Host": "evil.example"}), 400, "unknown-host")
    problem(server.http.post("/mcp", json=message, headers={"Origin": "http://evil.example"}), 403, "cross-origin")
    problem(server.http.get("/mcp"), 405, "method-not-allowed")
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    assert server.http.post("/mcp", content=b" " * 2_000_000, headers=headers).status_code == 413
    with serving(tmp_path_factory.mktemp("token"), token=TOKEN) as guarded:
        answer = guarded.http.post("/mcp", json=message)
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"

        async def run() -> int:
            async with connected(guarded, TOKEN) as client:
                return len((await client.list_tools()).tools)

        assert anyio.run(run) == 4
