import hashlib
import subprocess
import sys
from pathlib import Path

from tests.api.harness import GRAPH, Server, problem

ROOT = Path(__file__).parents[2]


def test_model_is_stored_under_its_hash_once(server: Server) -> None:
    data = b"good one"
    first = server.http.post("/v1/models", files={"file": ("net.onnx", data)}, data={"name": "my net"})
    again = server.http.post("/v1/models", files={"file": ("other.onnx", data)})
    assert (first.status_code, again.status_code) == (201, 200)
    model = first.json()
    assert model == again.json()
    assert model["id"] == "sha256:" + hashlib.sha256(data).hexdigest()
    assert model["name"] == "my net" and model["graph"] == GRAPH and model["software"] == []
    digest = model["id"].removeprefix("sha256:")
    assert (server.home / "blobs" / digest[:2] / digest).read_bytes() == data
    assert (server.home / "graphs" / f"{digest}.graph").is_file()
    assert server.http.get(f"/v1/models/{model['id']}").json() == model
    assert model in server.http.get("/v1/models").json()["items"]


def test_what_is_fixed_makes_another_model(server: Server) -> None:
    def send(**fields: str) -> dict:
        answer = server.http.post("/v1/models", files={"file": ("net.onnx", b"good, with open axes")}, data=fields)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    plain, empty = send(), send(shapes="{}")
    wide = send(shapes='{"x": [1, 32]}', freeze='{"mask": "ones", "scale": 0.5, "ids": [[0, 1]]}')
    assert server.parser.fixed == {
        "shapes": {"x": [1, 32]}, "freeze": {"mask": "ones", "scale": 0.5, "ids": [[0, 1]]},
    }  # fmt: skip
    assert (
        plain["id"]
        == empty["id"]
        != wide["id"]
        == send(freeze='{"ids": [[0,1]], "scale": 0.5, "mask": "ones"}', shapes='{"x":[1,32]}')["id"]
    )
    assert send(shapes='{"x": [1, 16]}')["id"] not in (plain["id"], wide["id"])
    assert server.http.delete(f"/v1/models/{wide['id']}").status_code == 204
    assert send()["id"] == plain["id"]


def test_what_cannot_be_fixed_is_refused(server: Server) -> None:
    for field, text in (
        ("shapes", "{"), ("shapes", "[]"), ("shapes", '{"x": 3}'), ("shapes", '{"x": [0]}'), ("shapes", '{"x": [1.5]}'),
        ("freeze", '{"x": "twos"}'), ("freeze", '{"x": null}'), ("freeze", '{"x": NaN}'),
        ("freeze", '{"x": 1, "x": 2}'),
    ):  # fmt: skip
        answer = server.http.post("/v1/models", files={"file": ("m", b"good")}, data={field: text})
        assert problem(answer, 422, "invalid-body")["errors"][0]["pointer"] == f"/{field}", text


def test_refused_upload_leaves_nothing(server: Server) -> None:
    before = sorted(p for p in server.home.rglob("*") if p.is_file() and "headrace.db" not in p.name)
    problem(server.http.post("/v1/models", files={"file": ("bad.onnx", b"bad")}), 422, "invalid-model")
    problem(server.http.post("/v1/models", files={"file": ("empty.onnx", b"")}), 422, "invalid-body")
    assert sorted(p for p in server.home.rglob("*") if p.is_file() and "headrace.db" not in p.name) == before


def test_file_names_are_only_shown(server: Server) -> None:
    for sent, shown in (("../../etc/cron.d/x", "x"), ("a\\b\\c.onnx", "c.onnx"), ("\u202e💥.onnx", "💥.onnx")):
        data = b"good " + sent.encode()
        model = server.http.post("/v1/models", files={"file": (sent, data)}).json()
        assert model["name"] == shown
    problem(server.http.post("/v1/models", files={"file": ("a", b"good")}, data={"name": "a\nb"}), 422, "invalid-body")


def test_many_parts_are_refused(server: Server) -> None:
    many = [("file", (f"{i}", b"good")) for i in range(50)]
    answer = server.http.post("/v1/models", files=many)
    problem(answer, 400, "bad-request")
    fields = {f"field{i}": "x" for i in range(50)}
    problem(server.http.post("/v1/models", files={"file": ("a", b"good")}, data=fields), 400, "bad-request")


def test_dataset(server: Server) -> None:
    first = server.http.post("/v1/datasets", files={"file": ("digits.npz", b"array")})
    assert first.status_code == 201 and first.json()["samples"] == 5
    assert server.http.post("/v1/datasets", files={"file": ("digits.npz", b"array")}).status_code == 200
    assert server.http.get(f"/v1/datasets/{first.json()['id']}").json() == first.json()
    assert server.http.get("/v1/datasets").json()["items"] == [first.json()]
    problem(server.http.post("/v1/datasets", data={"name": "x"}), 422, "invalid-body")


def test_api_process_imports_no_model_library() -> None:
    code = (
        "import sys, api.main; print([m for m in ('torch', 'onnx', 'numpy', 'optuna', 'celery') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_model_stored_without_its_software_tail_is_parsed_again(server: Server) -> None:
    """An earlier release kept no ``output`` beside what stays in software, and no tail in its graph file."""
    upload = {"file": ("old.onnx", b"good old model")}
    digest = "sha256:" + hashlib.sha256(upload["file"][1]).hexdigest()
    server.store.models.add(digest, "old", "onnx", 14, GRAPH, [{"node": "s", "operator": "Sigmoid", "reason": "r"}])
    (server.home / "graphs" / f"{digest.removeprefix('sha256:')}.graph").write_bytes(b"old graph")
    before = server.parser.calls.count("model")
    assert server.http.post("/v1/models", files=upload).json()["id"] == digest
    assert server.parser.calls.count("model") == before + 1
