"""A trial of the asynchronous client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.http import requests
from headrace.http.delivery import all_pages, download
from headrace.http.link import AsyncLink
from headrace.records import TrialRecord

if TYPE_CHECKING:
    import pandas


class AsyncTrial(TrialRecord):
    """See ``Trial``."""

    def __init__(self, link: AsyncLink, document: Mapping[str, Any]) -> None:
        super().__init__(document)
        self._link = link

    async def operators(self) -> pandas.DataFrame:
        """See ``Trial.operators``."""
        from headrace.frames import operators_frame

        return operators_frame(await self._link.run(requests.document("trials", self.id, detail="operators")))

    async def attempts(self) -> list[dict[str, Any]]:
        """See ``Trial.attempts``."""
        return await self._link.run(all_pages(requests.get(requests.path("trials", self.id, "attempts"))))

    async def write_bundle(self, path: str | Path) -> Path:
        """See ``Trial.write_bundle``."""
        return await self._link.run(download(requests.path("trials", self.id, "rtl"), Path(path)))

    async def write_activity(self, path: str | Path) -> Path:
        """See ``Trial.write_activity``."""
        return await self._link.run(download(requests.path("trials", self.id, "activity"), Path(path)))
