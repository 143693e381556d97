from collections.abc import Iterator

import pytest

import headrace
from tests.api.harness import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[headrace.Client]:
    with headrace.connect(server.url) as connected:
        yield connected
