"""The deployment file: what can be said of it without a Docker engine."""

from pathlib import Path

import yaml

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
