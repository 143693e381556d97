"""A sweep as models × platforms × spaces: one job body for each combination, labelled with the names of its parts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.calls import dataset_id, model_id
from headrace.errors import HeadraceError
from headrace.http.steps import Steps

Body = dict[str, Any]


@dataclass(frozen=True)
class Grid:
    """What a sweep goes over; every part has a name.

    Attributes:
        models: anything that can be submitted.
        platforms: platforms of job bodies, None for the service's default.
        spaces: likewise.
        datasets: evaluation data of each model; a model that is not named has none.
        fields: the other fields of every job body.
    """

    models: Mapping[str, Any]
    platforms: Mapping[str, Any]
    spaces: Mapping[str, Any]
    datasets: Mapping[str, Any]
    fields: Mapping[str, Any]

    @classmethod
    def of(
        cls, models: Any, platforms: Any, spaces: Any, dataset: Any, datasets: Mapping[str, Any] | None, fields: Body
    ) -> Grid:
        """From what callers give: mappings by name, lists, or single values.

        Raises:
            HeadraceError: two parts have one name, or data is given twice or for an unknown model.
        """
        named = _named(models, _is_model, _model_name)
        if dataset is not None and datasets is not None:
            raise HeadraceError("give either dataset= for all models or datasets= by model, not both")
        if unknown := set(datasets or ()) - set(named):
            raise HeadraceError(
                f"datasets are given for {', '.join(sorted(unknown))}; the models are {', '.join(named)}"
            )
        data = dict(datasets or {}) if dataset is None else dict.fromkeys(named, dataset)
        boards = {n: _platform(p) for n, p in _named(platforms, _is_platform, _platform_name).items()}
        return cls(named, boards, _named(spaces, _is_space, _space_name), data, fields)

    def bodies(self, example: Any) -> Steps[list[Body]]:
        """Upload models and data, and give every job body, models outermost."""
        models: dict[str, str] = {}
        data: dict[str, str] = {}
        for name, model in self.models.items():
            models[name] = yield from model_id(model, name, example, self.datasets.get(name))
        for name, dataset in self.datasets.items():
            data[name] = yield from dataset_id(dataset)
        choices = itertools.product(self.models, self.platforms, self.spaces)
        return [self._body(choice, models[choice[0]], data.get(choice[0])) for choice in choices]

    def _body(self, choice: tuple[str, str, str], model: str, dataset: str | None) -> Body:
        name, platform, space = choice
        body: Body = {**self.fields, "model": model}
        labels = {**self.fields.get("labels", {}), "model": name}
        for kind, part, values in (("platform", platform, self.platforms), ("space", space, self.spaces)):
            if values[part] is not None:
                body[kind] = values[part]
                labels[kind] = part
        if dataset is not None:
            body["dataset"] = dataset
        return body | {"labels": labels}


def _named(parts: Any, is_one: Callable[[Mapping[str, Any]], bool], name_of: Callable[[Any, int], str]) -> Body:
    """Parts by name; a single one and those of a list are named by what they are."""
    if parts is None:
        return {"default": None}
    if isinstance(parts, Mapping) and not is_one(parts):
        found = {str(name): part for name, part in parts.items()}
    else:
        several = parts if isinstance(parts, list | tuple) else [parts]
        found = {name_of(part, index): part for index, part in enumerate(several)}
        if len(found) < len(several):
            raise HeadraceError(f"parts of the sweep have the same name ({', '.join(found)}): give a mapping by name")
    if not found:
        raise HeadraceError("a sweep needs at least one model, platform and space")
    return found


def _is_model(parts: Mapping[str, Any]) -> bool:
    return "graph" in parts and "id" in parts


def _is_platform(parts: Mapping[str, Any]) -> bool:
    return "devices" in parts or not all(isinstance(part, str | Mapping) for part in parts.values())


def _is_space(parts: Mapping[str, Any]) -> bool:
    return not all(isinstance(part, Mapping) for part in parts.values())


def _model_name(model: Any, index: int) -> str:
    if isinstance(model, Mapping):
        return str(model["name"])
    if isinstance(model, bytes):
        return f"model {index}"
    return Path(model).stem if isinstance(model, str | Path) else type(model).__name__


def _platform_name(platform: Any, index: int) -> str:
    if isinstance(platform, str):
        return platform
    parts = [(p.get("count", 1), p["device"]) for p in platform["devices"] if isinstance(p["device"], str)]
    return " + ".join(f"{n} {name}" if n > 1 else name for n, name in parts) or f"platform {index}"


def _platform(platform: Any) -> Any:
    """A platform of a job body; the name of a device is one of it."""
    return {"devices": [{"device": platform, "count": 1}]} if isinstance(platform, str) else platform


def _space_name(_: Any, index: int) -> str:
    return f"space {index}"
