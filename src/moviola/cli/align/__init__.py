"""Provide `moviola align`: one file a command, assembled here."""

import typer

from moviola.cli.align import apply, check, fit, sweep

app = typer.Typer(
    name="align",
    no_args_is_help=True,
    help="Make frozen embeddings of texts and videos comparable.",
)
for command in (fit, apply, sweep, check):
    app.command(name=command.__name__.rpartition(".")[2])(command.run)

__all__ = ["app"]
