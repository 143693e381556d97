"""The three forms of a sweep, each submitted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace import manifest
from headrace.errors import HeadraceError
from headrace.grid import Grid
from headrace.http import requests
from headrace.http.requests import Document
from headrace.http.steps import Steps


@dataclass(frozen=True)
class SweepWish:
    """What a caller asked for; see ``Client.sweep``."""

    jobs: Sequence[Mapping[str, Any]] | None
    base: Mapping[str, Any] | None
    matrix: Mapping[str, Sequence[Any]] | None
    models: Any
    platforms: Any
    spaces: Any
    dataset: Any
    datasets: Mapping[str, Any] | None
    example: Any
    place: str | Path | None
    fields: Mapping[str, Any]

    def start(self) -> Steps[Document]:
        """Upload what is not there yet, and submit the sweep, or find it where its manifest says that it was."""
        place = None if self.place is None else Path(self.place)
        if self.models is not None:
            self._refuse("models=", jobs=self.jobs, base=self.base, matrix=self.matrix)
            parts = (self.models, self.platforms, self.spaces, self.dataset, self.datasets)
            bodies = yield from Grid.of(*parts, dict(self.fields)).bodies(self.example)
            return (yield from manifest.start({"jobs": bodies}, place))
        self._refuse("jobs= or base= and matrix=", platforms=self.platforms, spaces=self.spaces, dataset=self.dataset,
                     datasets=self.datasets, example=self.example, **self.fields)  # fmt: skip
        given: dict[str, Any] = {"jobs": self.jobs, "base": self.base, "matrix": self.matrix}
        form = {name: value for name, value in given.items() if value is not None}
        if place is None:
            return (yield from requests.submit_sweep(form, None))
        return (yield from manifest.start(form, place))

    def _refuse(self, form: str, **others: Any) -> None:
        if wrong := [f"{name}=" for name, value in others.items() if value is not None]:
            raise HeadraceError(f"a sweep of {form} takes no {', '.join(wrong)}: these belong to another form")
