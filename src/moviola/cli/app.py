"""Assemble the `moviola` program: its commands, exit codes and one-line errors.

Nothing heavier than typer is imported here, so that `moviola --help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from moviola.cli import (
    align,
    calibrate,
    commit,
    compare,
    demo,
    diagnose,
    doctor,
    encode,
    evaluate,
    evaluate_moments,
    evaluate_run,
    evaluate_search,
    experiment,
    export,
    failures,
    finetune,
    forget,
    gc,
    import_,
    index,
    layer_sweep,
    models,
    passages,
    plan,
    pooling_grid,
    quantise,
    repair,
    search,
    serve,
    status,
    sweep_rows,
    table,
    verify,
    watch,
    work,
)
from moviola.cli.console import say_error

app = typer.Typer(
    name="moviola",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Find the moment in a video that a sentence describes.",
    epilog="Exit codes: 0 ok, 1 unexpected, 2 usage, 3 finished with failed items, "
    "4 space mismatch, 5 library locked, 6 store corrupt, 7 weights or network unavailable, "
    "8 disk or permission, 130 interrupted.",
)

for command in (
    demo,
    index,
    watch,
    plan,
    work,
    commit,
    search,
    serve,
    status,
    passages,
    failures,
    forget,
    gc,
    verify,
    repair,
    export,
    import_,
    encode,
    table,
    evaluate,
    evaluate_run,
    evaluate_moments,
    evaluate_search,
    calibrate,
    compare,
    diagnose,
    pooling_grid,
    layer_sweep,
    quantise,
    sweep_rows,
    finetune,
    experiment,
    doctor,
):
    name = command.__name__.rpartition(".")[2].strip("_").replace("_", "-")
    context = search.CONTEXT if command is search else None
    app.command(name=name, context_settings=context)(command.run)
app.add_typer(models.app, name="models")
app.add_typer(align.app)


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from moviola.core.version import __version__
    from moviola.pipeline.versions import versions

    typer.echo(f"moviola {__version__}")
    for name, version in versions().items():
        typer.echo(f"  {name} {version}")
    raise typer.Exit


@app.callback()
def options(
    *,
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Show the traceback of an error.", envvar="MOVIOLA_DEBUG"),
    ] = False,
    version: Annotated[  # noqa: ARG001 -- its callback prints and exits
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print versions and exit."
        ),
    ] = False,
) -> None:
    """Find the moment in a video that a sentence describes."""
    if debug:
        os.environ["MOVIOLA_DEBUG"] = "1"


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> NoReturn:
    """Run the program and leave with the documented exit code."""
    # A supervisor's SIGTERM is a person's Ctrl-C: finish the commit, then leave.
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False) or 0
    except Exception as error:  # noqa: BLE001 -- the last door: every error becomes one line
        code = say_error(error)
    except KeyboardInterrupt:
        code = 130
    if code == 130:  # typer turns most interruptions into this code by itself
        sys.stderr.write("interrupted: what was committed is kept; run again to go on\n")
    sys.exit(code)
