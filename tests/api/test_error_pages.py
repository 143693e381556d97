import base64
import hashlib
import re

import httpx
import pytest

from tests.api.harness import Server, problem, serving

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}


def page(answer: httpx.Response, status: int) -> str:
    """Check that an answer is a page whose only style is the one that its policy allows."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8" and answer.headers["vary"] == "accept"
    assert answer.headers["x-content-type-options"] == "nosniff"
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert '<html lang="en">' in answer.text and "<main>" in answer.text
    return answer.text


def test_browsers_get_pages(server: Server) -> None:
    text = page(server.http.get("/v1/jobs/none", headers=BROWSER), 404)
    assert "There is no such resource" in text and "urn:headrace:problem:not-found" in text and "no job" in text.lower()
    page(server.http.get("/nothing", headers=BROWSER), 404)  # nothing of ours was asked
    page(server.http.get("/static/nothing", headers=BROWSER), 404)
    page(server.http.put("/v1/jobs", headers=BROWSER), 405)
    text = page(server.http.get("/v1/jobs", params={"limit": "<b>x"}, headers=BROWSER), 422)
    assert "query limit" in text
    page(server.http.get("/v1/jobs", headers={**BROWSER, "Host": "evil.example"}), 400)
    page(server.http.get("/readyz", headers=BROWSER), 503)


def test_pages_escape_what_was_asked(server: Server) -> None:
    text = page(server.http.get("/v1/devices", params={"x": "1"}, headers={**BROWSER, "Host": "<img>"}), 400)
    assert "<img" not in text
    text = page(server.http.get("/v1/models/<script>alert(1)", headers=BROWSER), 404)
    assert "<script" not in text and "&lt;script" in text


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "",
        "application/json",
        "application/problem+json, text/html;q=0.9",
        "text/html;q=0",
        "text/html;q=x",
        "text/*",
    ],
)
def test_programs_get_problem_documents(server: Server, accept: str) -> None:
    headers = {"Accept": accept}
    problem(server.http.get("/v1/jobs/none", headers=headers), 404, "not-found")
    problem(server.http.get("/nothing", headers=headers), 404, "not-found")


def test_head_requests_and_lengths(server: Server) -> None:
    answer = server.http.head("/v1/jobs/none", headers=BROWSER)
    assert answer.status_code in (404, 405) and answer.content == b""
    answer = server.http.get("/v1/jobs/none", headers=BROWSER)
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_browser_without_the_token_gets_no_data_but_the_page_that_asks_for_it(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with serving(tmp_path_factory.mktemp("token"), token="a-secret-of-enough-length") as guarded:
        answer = guarded.http.get("/v1/jobs", headers=BROWSER)
        page(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert guarded.http.get("/", headers=BROWSER).status_code == 200
