"""The ``headrace`` command: everything that the HTTP contract can, for terminals and scripts (docs/cli.md)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from headrace import __version__
from headrace.cli import catalogue, course, jobs, machine, results, sweeps
from headrace.cli.exits import MEANINGS, Exit, exit_of
from headrace.cli.output import note
from headrace.errors import HeadraceError

_SECTIONS = {
    "Explore": (
        jobs.submit, jobs.status, jobs.logs, results.pareto, results.trials, results.points, course.hypervolume,
        course.importance,
    ),
    "One design": (results.trial, results.compare, results.export, results.activity),
    "Steer": (jobs.pause, jobs.resume, jobs.stop, jobs.limit, jobs.cancel, jobs.delete),
    "Sweep": (sweeps.sweep, sweeps.sweeps),
    "What the service holds": (catalogue.devices, catalogue.models, catalogue.datasets, catalogue.upload),
    "This machine and the service": (
        machine.serve, machine.demo, machine.doctor, machine.about_service, machine.health, machine.api,
        machine.completion,
    ),
}  # fmt: skip


class _Sections(click.Group):
    """A group whose help lists the commands by what they are for."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(str(c.name), c.get_short_help_str(90)) for c in commands])


@click.group(
    cls=_Sections,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="\b\nExit statuses:\n" + "\n".join(f"{status.value:>4}  {text}" for status, text in MEANINGS.items()),
)
@click.version_option(__version__, prog_name="headrace", message="%(prog)s %(version)s")
def cli() -> None:
    """Explore accelerator designs for a trained model."""


for _commands in _SECTIONS.values():
    for _command in _commands:
        cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status (``headrace.cli.exits``)."""
    try:
        status = cli.main(arguments, prog_name="headrace", standalone_mode=False)
        sys.stdout.flush()
        return int(status or Exit.DONE)
    except click.ClickException as error:
        note(error.format_message())
        return Exit.USAGE
    except BrokenPipeError:
        # Whoever read has what it wanted; nothing is left to be written at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE
    except (HeadraceError, OSError, TimeoutError) as error:
        note(str(error))
        return exit_of(error)
    except (KeyboardInterrupt, click.Abort):
        note("interrupted; jobs already submitted go on")
        return Exit.INTERRUPTED
