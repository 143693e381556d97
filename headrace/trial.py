"""A trial of the blocking client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.http import requests
from headrace.http.delivery import all_pages, download
from headrace.http.link import Link
from headrace.records import TrialRecord

if TYPE_CHECKING:
    import pandas


class Trial(TrialRecord):
    """One candidate and what became of it; reads like its document: ``trial["metrics"]``."""

    def __init__(self, link: Link, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    def operators(self) -> pandas.DataFrame:
        """One row per operator of the design: what it is, its cycles, the shares in which it worked and waited."""
        from headrace.frames import operators_frame

        return operators_frame(self._link.run(requests.document("trials", self.id, detail="operators")))

    def attempts(self) -> list[dict[str, Any]]:
        """Every start on a worker, with its outcome."""
        return self._link.run(all_pages(requests.get(requests.path("trials", self.id, "attempts"))))

    def write_bundle(self, path: str | Path) -> Path:
        """Download the design: a zip of SystemVerilog, memories, vectors; ``make sim`` in it repeats the check.

        Raises:
            Conflict: the trial is not complete.
        """
        return self._link.run(download(requests.path("trials", self.id, "rtl"), Path(path)))

    def write_activity(self, path: str | Path) -> Path:
        """Download what each operator did when, as Chrome trace JSON, which https://ui.perfetto.dev opens.

        Raises:
            Conflict: the trial is not complete.
        """
        return self._link.run(download(requests.path("trials", self.id, "activity"), Path(path)))
