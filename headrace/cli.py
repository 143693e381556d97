"""The ``headrace`` command."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace import __version__, service, tables
from headrace.client import Client, connect
from headrace.embedded import DEFAULT_URL
from headrace.errors import HeadraceError
from headrace.job import Job

_BOUND = re.compile(r"([a-z0-9_]+)\s*(>=|<=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (0 done, 1 refused or failed, 2 wrong usage, 130 interrupted)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (HeadraceError, OSError) as error:
        print(f"headrace: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("headrace: interrupted; jobs already submitted go on", file=sys.stderr)
        return 130


def _serve(options: argparse.Namespace) -> int:
    # The command becomes the supervisor, so signals reach it directly.
    given = [("--host", options.host), ("--port", options.port), ("--slots", options.slots)]
    arguments = [text for name, value in given if value is not None for text in (name, str(value))]
    command, environment = service.command("workers.serve", *arguments)
    os.execve(command[0], command, environment)


def _demo(options: argparse.Namespace) -> int:
    from headrace.demo import run_demo

    return run_demo(Path(options.output), trials=options.trials, wall_seconds=options.wall_seconds)


def _doctor(_: argparse.Namespace) -> int:
    from headrace.doctor import run_doctor

    return run_doctor()


def _submit(options: argparse.Namespace) -> int:
    body = _body(options)
    with _client(options) as client:
        job = client.submit(options.model, dataset=options.dataset or body.pop("dataset", None), **body)
        print(job.id)
        if options.wait:
            _follow(job)
            return _show_front(job)
    return 0


def _body(options: argparse.Namespace) -> dict[str, Any]:
    """The job body of the file, with what the options say added; the model is an argument of its own."""
    body = _read_body(Path(options.body)) if options.body else {}
    if options.devices is not None and options.device is None:
        raise HeadraceError("--devices says how many of --device there are: give both")
    if options.device:
        devices = [{"device": options.device, "count": 1 if options.devices is None else options.devices}]
        body["platform"] = _part(body, "platform", {}) | {"devices": devices}
    limits = {"trials": options.trials, "wall_seconds": options.wall_seconds, "seed": options.seed}
    body["search"] = _part(body, "search", {}) | {k: v for k, v in limits.items() if v is not None}
    body["constraints"] = _part(body, "constraints", []) + [_constraint(text) for text in options.constraint]
    body["labels"] = _part(body, "labels", {}) | dict(label.split("=", 1) for label in options.label)
    body.pop("model", None)
    return body


def _read_body(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise HeadraceError(f"{path} is no JSON file: {error}") from error
    if not isinstance(body, dict):
        raise HeadraceError(f'{path} holds no JSON object: a job body looks like {{"search": {{"trials": 100}}}}')
    return body


def _part(body: Mapping[str, Any], name: str, empty: Any) -> Any:
    """A member that options add to; absent or null it is ``empty``."""
    value = body.get(name)
    if value is None:
        return empty
    if type(value) is not type(empty):
        raise HeadraceError(f"{name} of the job body must be {'a list' if isinstance(empty, list) else 'an object'}")
    return value


def _status(options: argparse.Namespace) -> int:
    with _client(options) as client:
        if options.job is None:
            tables.console().print(tables.jobs_table(job.document for job in client.jobs(state=options.state)))
        elif options.json:
            print(json.dumps(client.job(options.job).document, indent=2))
        elif options.wait:
            _follow(client.job(options.job))
        else:
            tables.console().print(tables.jobs_table([client.job(options.job).document]))
    return 0


def _pareto(options: argparse.Namespace) -> int:
    with _client(options) as client:
        job = client.job(options.job)
        status = _print_front(job) if options.json else _show_front(job)
        if options.plot:
            job.plot(options.plot)
            print(options.plot)
    return status


def _cancel(options: argparse.Namespace) -> int:
    with _client(options) as client:
        for job_id in options.job:
            print(f"{job_id} {client.job(job_id).cancel().state}")
    return 0


def _export(options: argparse.Namespace) -> int:
    with _client(options) as client:
        trial = client.trial(options.trial)
        path = client.job(trial["job_id"]).export(trial, options.output or f"{options.trial}.zip")
    print(path)
    return 0


def _follow(job: Job) -> None:
    job.wait(progress=True)
    print(f"{job.id} {job.state}: {job.end_reason}", file=sys.stderr)


def _print_front(job: Job) -> int:
    """The front as JSON; the exit status says whether there is one."""
    front = job.pareto()
    print(json.dumps(front, indent=2))
    return 0 if front else 1


def _show_front(job: Job) -> int:
    """The front as a table, or why there is none; the exit status says whether there is one."""
    front = job.pareto()
    if front:
        out = tables.console()
        out.print(tables.front_table(front, out.width))
        return 0
    failure = job.document["failure"]
    print(f"headrace: {failure['message'] if failure else 'no feasible complete trial yet'}", file=sys.stderr)
    return 1


def _client(options: argparse.Namespace) -> Client:
    # A service started here would end with the command, before the job is done.
    return connect(options.url, start=False)


def _constraint(text: str) -> dict[str, Any]:
    match = _BOUND.fullmatch(text.strip())
    if match is None:
        raise HeadraceError(f"cannot read the constraint {text!r}: write metric>=value or metric<=value")
    return {"metric": match[1], "min" if match[2] == ">=" else "max": float(match[3])}


def _label(text: str) -> str:
    if "=" not in text:
        raise argparse.ArgumentTypeError("write key=value")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="headrace", description="Explore accelerator designs for a trained model.")
    parser.add_argument("--version", action="version", version=f"headrace {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    remote = argparse.ArgumentParser(add_help=False)
    remote.add_argument("--url", help=f"the service; HEADRACE_URL or {DEFAULT_URL} by default")

    serve = commands.add_parser("serve", help="run the service on this machine: API and workers")
    serve.add_argument("--host", help="address to bind; 127.0.0.1 by default, others need HEADRACE_TOKEN")
    serve.add_argument("--port", type=int, help="port to bind; 8765 by default, 0 takes a free one")
    serve.add_argument("--slots", type=int, help="evaluations at a time; one per core by default")
    serve.set_defaults(run=_serve)

    demo = commands.add_parser("demo", help="train, submit, search, simulate: the whole path in minutes")
    demo.add_argument("--output", default="demo_output", help="folder for plot, bundle and data")
    demo.add_argument("--trials", type=int, default=140, help="candidates to evaluate")
    demo.add_argument("--wall-seconds", type=float, default=240.0, help="end the search after this time")
    demo.set_defaults(run=_demo)

    submit = commands.add_parser("submit", parents=[remote], help="start an exploration")
    submit.add_argument("model", help="an .onnx or .pt2 file, a Hugging Face folder, or an uploaded model's id")
    submit.add_argument("--dataset", help="an .npz file, or an uploaded dataset's id")
    submit.add_argument("--body", help="JSON file with the other fields of the job body")
    submit.add_argument("--device", help="a device of the catalogue")
    submit.add_argument("--devices", type=int, help="how many of them, in a chain")
    submit.add_argument("--trials", type=int, help="candidates to evaluate")
    submit.add_argument("--wall-seconds", type=float, help="end after this time")
    submit.add_argument("--seed", type=int)
    submit.add_argument(
        "--constraint", action="append", default=[], help="such as 'accuracy>=0.95' or 'est_lut<=50000'"
    )
    submit.add_argument("--label", action="append", default=[], type=_label, help="key=value")
    submit.add_argument("--wait", action="store_true", help="follow the job and show its front")
    submit.set_defaults(run=_submit)

    status = commands.add_parser("status", parents=[remote], help="list jobs, or show one")
    status.add_argument("job", nargs="?")
    status.add_argument("--state", help="only jobs in this state")
    status.add_argument("--json", action="store_true", help="the job document")
    status.add_argument("--wait", action="store_true", help="follow the job to its end")
    status.set_defaults(run=_status)

    pareto = commands.add_parser("pareto", parents=[remote], help="show a job's Pareto front")
    pareto.add_argument("job")
    pareto.add_argument("--json", action="store_true", help="the trial documents")
    pareto.add_argument("--plot", help="also save a plot (PNG, SVG or PDF)")
    pareto.set_defaults(run=_pareto)

    cancel = commands.add_parser("cancel", parents=[remote], help="end jobs now")
    cancel.add_argument("job", nargs="+")
    cancel.set_defaults(run=_cancel)

    export = commands.add_parser("export", parents=[remote], help="download the bundle of a trial")
    export.add_argument("trial")
    export.add_argument("output", nargs="?", help="TRIAL.zip by default")
    export.set_defaults(run=_export)

    doctor = commands.add_parser("doctor", help="what is missing on this machine, and how to get it")
    doctor.set_defaults(run=_doctor)
    return parser


if __name__ == "__main__":
    sys.exit(main())
