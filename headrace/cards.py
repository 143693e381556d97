"""Cards for notebooks: a few lines of HTML, every text escaped.

Colours are the page's own (``currentColor``, and greys that are part transparent), so a card is as readable on a dark
notebook as on a light one, and nothing has to be asked of the theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from headrace.figures import short
from headrace.metrics import METRICS

_CARD = (
    "display:inline-block;min-width:22em;max-width:52em;padding:.6em .9em;border:1px solid rgba(128,128,128,.45);"
    "border-radius:6px;background:rgba(128,128,128,.07);color:inherit;font-size:.95em;line-height:1.5"
)
_CELL = "padding:.1em .9em .1em 0;text-align:left;vertical-align:top;border:0;background:transparent;color:inherit"
_BAR = "height:.45em;border-radius:3px;background:rgba(128,128,128,.25);overflow:hidden;margin:.35em 0"
_STATE_COLOURS = {
    "succeeded": "#2e9e5b", "complete": "#2e9e5b", "running": "#3b82d6", "failed": "#d64545", "infeasible": "#c9822b",
    "cancelled": "#8a8f98", "refused": "#d64545",
}  # fmt: skip
_OTHER_STATE = "#8a8f98"
_SHOWN_OPERATORS = 8
Row = tuple[str, str]


def model_card(model: Mapping[str, Any]) -> str:
    """An uploaded model."""
    graph = model["graph"]
    operators = sorted(graph["operators"].items(), key=lambda item: -item[1])
    names = [f"{count} {name}" for name, count in operators[:_SHOWN_OPERATORS]]
    return _card("model", model["name"], model["id"], [
        ("format", model["format"]),
        ("parameters", f"{graph['parameters']:,}"),
        ("MAC per inference", f"{graph['macs_per_inference']:,}"),
        ("inputs", _tensors(graph["inputs"])),
        ("outputs", _tensors(graph["outputs"])),
        ("operators", ", ".join(names) + (", …" if len(operators) > _SHOWN_OPERATORS else "")),
        *[("in software", f"{item['operator']} {item['node']}: {item['reason']}") for item in model["software"]],
    ])  # fmt: skip


def job_card(job: Mapping[str, Any], model: str) -> str:
    """An exploration; ``model`` is the name of its model."""
    progress = job["progress"]
    rows: list[Row] = [
        ("model", model),
        ("state", _state(job["state"], job["end_reason"])),
        ("trials", f"{progress['trials_done']} of {progress['trials_total']}: {_counts(job['counts'])}"),
        ("Pareto front", f"{job['pareto_size']} designs"),
        *[(f"best {_text(metric)}", figure(metric, best["value"])) for metric, best in job["best"].items()],
        *[(name, value) for name, value in job["labels"].items()],
    ]
    if job["failure"]:
        rows.append(("failure", str(job["failure"]["message"])))
    return _card("job", job["id"], "", rows, _share(progress))


def trial_card(trial: Mapping[str, Any]) -> str:
    """One candidate and what became of it."""
    exact = trial["exact"]
    rows: list[Row] = [("state", _state(trial["state"], trial["reason"]))]
    if exact:
        rows.append(("words compared", f"{exact['compared_words']:,}, {exact['mismatched_words']} different"))
    rows += [(_text(metric), figure(metric, value)) for metric, value in trial["metrics"].items() if metric in METRICS]
    return _card("trial", str(trial["number"]), trial["id"], rows)


def sweep_card(sweep: Mapping[str, Any]) -> str:
    """A group of jobs."""
    rows: list[Row] = [("jobs", f"{len(sweep['items'])}: {_counts(sweep['counts'])}")]
    for item in sweep["items"]:
        if item.get("problem"):
            rows.append((f"item {item['index']} refused", str(item["problem"]["detail"])))
    progress = sweep["progress"]
    rows.append(("trials", f"{progress['trials_done']} of {progress['trials_total']}"))
    return _card("sweep", sweep["id"], "", rows, _share(progress))


def figure(metric: str, value: Any) -> str:
    """A value with its unit."""
    text = short(value) if isinstance(value, int | float) else str(value)
    unit = METRICS[metric].unit if metric in METRICS else ""
    return f"{text} {unit}".strip()


def _text(metric: str) -> str:
    return METRICS[metric].text if metric in METRICS else metric


def _card(noun: str, name: str, ident: str, rows: Iterable[Row], share: float | None = None) -> str:
    body = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:normal;opacity:.75">{escape(key)}</th>'
        f'<td style="{_CELL}">{value if isinstance(value, _Html) else escape(value)}</td></tr>'
        for key, value in rows
    )
    bar = "" if share is None else (
        f'<div style="{_BAR}"><div style="width:{100 * share:.1f}%;height:100%;background:#3b82d6"></div></div>'
    )  # fmt: skip
    small = f' <code style="opacity:.75;background:transparent;color:inherit">{escape(ident)}</code>' if ident else ""
    return (
        f'<div class="headrace-card" style="{_CARD}"><div>{escape(noun)} <strong>{escape(name)}</strong>{small}</div>'
        f'{bar}<table style="border:0;border-collapse:collapse;margin:0;background:transparent">{body}</table></div>'
    )


class _Html(str):
    """Text that is HTML already."""


def _state(state: str, why: str | None) -> _Html:
    colour = _STATE_COLOURS.get(state, _OTHER_STATE)
    dot = f'<span aria-hidden="true" style="color:{colour}">●</span>'
    return _Html(f"{dot} {escape(state)}{f' ({escape(why)})' if why else ''}")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none yet"


def _tensors(tensors: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(f"{t['name']} {'×'.join(map(str, t['shape'])) or 'scalar'}" for t in tensors)


def _share(progress: Mapping[str, int]) -> float:
    return min(1.0, progress["trials_done"] / max(1, progress["trials_total"]))
