"""What the service said, as objects: the same for the blocking client and the asynchronous one.

They hold documents of the contract (docs/api.md). Names are those of the engine (``import hwgen``) wherever both have
the thing: ``inputs``, ``weights``, ``activations``, ``lanes``, ``devices``, ``latency_cycles``, ``interval_cycles``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from headrace import cards

if TYPE_CHECKING:
    import pandas

TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


class Record(Mapping[str, Any]):
    """A document that can be read like the mapping it is: ``record["metrics"]``."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)

    def __getitem__(self, name: str) -> Any:
        return self.document[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.document)

    def __len__(self) -> int:
        return len(self.document)

    @property
    def id(self) -> str:
        """The service's id."""
        return str(self.document["id"])


class Model(Record):
    """An uploaded model."""

    def __repr__(self) -> str:
        return f"<Model {self.name!r} {self.id}, {self.parameters:,} parameters>"

    def _repr_html_(self) -> str:
        return cards.model_card(self.document)

    @property
    def name(self) -> str:
        """The name it was uploaded under."""
        return str(self.document["name"])

    @property
    def parameters(self) -> int:
        """How many numbers the file stores."""
        return int(self.document["graph"]["parameters"])

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Shape of one sample of each input."""
        return {tensor["name"]: tuple(tensor["shape"]) for tensor in self.document["graph"]["inputs"]}

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """Shape of one sample of each output."""
        return {tensor["name"]: tuple(tensor["shape"]) for tensor in self.document["graph"]["outputs"]}

    @property
    def operators(self) -> dict[str, int]:
        """Kinds of operators and how many there are of each."""
        return dict(self.document["graph"]["operators"])


class Dataset(Record):
    """Uploaded evaluation data."""

    def __repr__(self) -> str:
        return f"<Dataset {self.document['name']!r} {self.id}, {self.document['samples']:,} samples>"


class TrialRecord(Record):
    """One candidate and what became of it."""

    def __repr__(self) -> str:
        return f"<Trial {self.number} {self.state} {self.id}>"

    def _repr_html_(self) -> str:
        return cards.trial_card(self.document)

    @property
    def number(self) -> int:
        """Counted from 0 in its job."""
        return int(self.document["number"])

    @property
    def state(self) -> str:
        """``queued``, ``running``, ``complete``, ``infeasible``, ``failed`` or ``cancelled``."""
        return str(self.document["state"])

    @property
    def metrics(self) -> dict[str, float]:
        """By name, in the units of ``headrace.metrics``; what was not reached is absent."""
        return {name: value for name, value in self.document["metrics"].items() if isinstance(value, int | float)}

    @property
    def weights(self) -> dict[str, str]:
        """Format of each node's weights."""
        formats = self.document["candidate"]["quantization"].items()
        return {node: chosen["weight"] for node, chosen in formats if chosen["weight"] is not None}

    @property
    def activations(self) -> dict[str, str]:
        """Format of what each node makes."""
        return {node: chosen["activation"] for node, chosen in self.document["candidate"]["quantization"].items()}

    @property
    def lanes(self) -> dict[str, tuple[int, int]]:
        """Elements per cycle that each node takes and gives."""
        chosen = self.document["candidate"]["parallelism"].items()
        return {node: (lanes["in_lanes"], lanes["out_lanes"]) for node, lanes in chosen}

    @property
    def devices(self) -> dict[str, int | list[int]]:
        """Index of each node's device, or those of its shards."""
        return dict(self.document["candidate"]["partition"])

    @property
    def latency_cycles(self) -> float | None:
        """Measured, of one inference; None where nothing was simulated."""
        return self.metrics.get("meas_latency_cycles")

    @property
    def interval_cycles(self) -> float | None:
        """Measured, between successive inferences; None where nothing was simulated."""
        return self.metrics.get("meas_interval_cycles")

    @property
    def compared_words(self) -> int:
        """Words of all streams that were compared with the integer reference."""
        exact = self.document["exact"]
        return int(exact["compared_words"]) if exact else 0

    def diff(self, other: Mapping[str, Any]) -> pandas.DataFrame:
        """What two trials do not have in common: decisions and figures, one row each, this one's first.

        Args:
            other: another trial, of any job.
        """
        from headrace.frames import diff_frame

        return diff_frame(self.document, other)


class JobRecord:
    """The last known state of an exploration."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.etag: str | None = None
        self.document = dict(document)
        self.id = str(document["id"])

    def __repr__(self) -> str:
        done, total = self.progress
        return f"<Job {self.id} {self._outcome}, {done}/{total} trials>"

    def _repr_html_(self) -> str:
        return cards.job_card(self.document, self.model_name)

    @property
    def state(self) -> str:
        """The last known state."""
        return str(self.document["state"])

    @property
    def _outcome(self) -> str:
        return self.state if self.end_reason is None else f"{self.state} ({self.end_reason})"

    @property
    def model_name(self) -> str:
        """The name of its model; the id where the service does not say the name."""
        return str(self.document.get("model_name") or self.document["model"])

    @property
    def terminal(self) -> bool:
        """Whether the job has ended, as far as known."""
        return self.state in TERMINAL

    @property
    def end_reason(self) -> str | None:
        """Why the job ended (``budget_trials``, ``stopped``, …); None while it goes on, as far as known."""
        reason: str | None = self.document["end_reason"]
        return reason

    @property
    def labels(self) -> dict[str, str]:
        """The labels that it was submitted with."""
        return dict(self.document["labels"])

    @property
    def progress(self) -> tuple[int, int]:
        """Trials done and trials in the budget."""
        progress = self.document["progress"]
        return int(progress["trials_done"]), int(progress["trials_total"])

    @property
    def objectives(self) -> list[str]:
        """Metrics that the search improves, the first one first."""
        return [str(objective["metric"]) for objective in self.document["spec"]["objectives"]]


class SweepRecord:
    """The last known state of a group of jobs submitted together."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        self.id = str(document["id"])

    def __repr__(self) -> str:
        return f"<Sweep {self.id}: {len(self.document['items'])} items, {len(self.refused)} refused>"

    def _repr_html_(self) -> str:
        return cards.sweep_card(self.document)

    @property
    def refused(self) -> list[dict[str, Any]]:
        """Items that were not accepted, each with its problem document."""
        return [item for item in self.document["items"] if item.get("problem")]

    @property
    def job_ids(self) -> list[str]:
        """Ids of the accepted jobs, in the order of the items."""
        return [str(item["job_id"]) for item in self.document["items"] if item.get("job_id")]

    @property
    def terminal(self) -> bool:
        """Whether every job has ended or was deleted, as far as known."""
        return all(item["state"] is None or item["state"] in TERMINAL for item in self.document["items"])

    @property
    def progress(self) -> tuple[int, int]:
        """Trials done and trials in the budgets of all jobs."""
        progress = self.document["progress"]
        return int(progress["trials_done"]), int(progress["trials_total"])
