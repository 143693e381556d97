"""The image and the deployment file: what can be said of them without a Docker engine."""

import importlib.util
import re
from pathlib import Path

import yaml

import headrace
from tests.install.wheels import CLIENT_PACKAGES, SERVICE_PACKAGES

ROOT = Path(__file__).parents[1]


def test_services_and_commands() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    services = yaml.safe_load(text)["services"]
    assert set(services) == {"postgres", "valkey", "migrate", "api", "search", "worker"}
    for name in ("api", "search", "worker"):
        waits = services[name]["depends_on"]
        assert waits["migrate"]["condition"] == "service_completed_successfully"
        environment = services[name]["environment"]
        assert environment["HEADRACE_DATABASE_URL"].startswith("postgresql://")
        assert environment["HEADRACE_BROKER_URL"].startswith("redis://")
    assert "postgres" not in str(services["api"].get("ports")) and "ports" not in services["postgres"]


def test_queues_are_those_of_the_workers() -> None:
    from workers import names

    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert names.DRIVE_QUEUE in services["search"]["command"]
    assert names.EVALUATE_QUEUE in services["worker"]["command"]


def test_threads_of_a_worker_are_its_slots() -> None:
    worker = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["worker"]
    concurrency = worker["command"][worker["command"].index("--concurrency") + 1]
    assert worker["environment"]["HEADRACE_SLOTS"] == concurrency


def test_every_command_is_a_module_that_the_entry_point_runs() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    ours = {name: text["command"] for name, text in services.items() if text.get("image", "").startswith("headrace:")}
    assert ours.keys() == {"migrate", "api", "search", "worker"}
    assert all(importlib.util.find_spec(command[0]) for command in ours.values())
    assert {services[name]["image"] for name in ours} == {f"headrace:{headrace.__version__}"}


def test_the_image_is_made_of_what_the_wheels_are_made_of() -> None:
    shown = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    projects = {"LICENSE", "README.md", "pyproject.toml", "requirements.txt", "service"}
    assert shown == {*CLIENT_PACKAGES, *SERVICE_PACKAGES, *projects}
    text = (ROOT / "Dockerfile").read_text()
    torch = re.search(r"whl/cpu (torch==\S+)", text)
    assert torch and torch[1] in (ROOT / "requirements.txt").read_text().split()
