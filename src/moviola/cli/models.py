"""`moviola models`: the encoders there are, and fetching their weights."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from moviola.cli.console import WIDTH, print_json, print_table
from moviola.cli.options import JsonOption

if TYPE_CHECKING:
    from moviola.pipeline.models import ListedModel

app = typer.Typer(help="List the models that --model can name, or fetch one.")


@app.callback(invoke_without_command=True)
def run(context: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the models that --model can name, those of plug-ins included.

    Sizes are those of the weights in single precision. Reported figures are other people's; none
    was measured here. Where `moviola doctor --bench` has run, the seconds that a model takes on
    this machine for a minute of video are told too.
    """
    if context.invoked_subcommand:
        return
    from moviola.pipeline.models import list_models

    found = list_models()
    if as_json:
        print_json([_as_object(entry) for entry in found])
        return
    timed = any(entry.seconds is not None for entry in found)
    print_table(
        (
            "name",
            "dimension",
            "size",
            *(("s a minute",) if timed else ()),
            "licence",
            "what",
        ),
        [
            (
                entry.info.name + (" (default)" if entry.is_default else ""),
                str(entry.info.dimension or "?"),
                f"{entry.parameters * 4 / 1e9:.1f} GB" if entry.parameters else "",
                *((_seconds(entry),) if timed else ()),
                entry.licence or f"of {entry.info.package} {entry.info.version}",
                entry.info.summary,
            )
            for entry in found
        ],
        below=[_reported(entry) for entry in found],
    )


@app.command()
def pull(
    model: Annotated[str, typer.Argument(help="A name that `moviola models` lists, or FAMILY:ID.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Fetch a model's weights from the Hugging Face hub, so that it works offline from then on.

    Says first what is fetched, about how much of it, and under which licence.
    """
    from moviola.core import display_path
    from moviola.pipeline.models import pull as pull_model
    from moviola.pipeline.models import wanted_sources

    sources = wanted_sources(model)
    for source in sources:
        size = f"about {source.gigabytes:.1f} GB of " if source.gigabytes else ""
        typer.echo(
            f"fetching {size}{source.repository}"
            f" ({source.licence or 'its licence is on its page'})",
            err=True,
        )
    fetched = list(pull_model(sources))
    for source, checkpoint in zip(sources, fetched, strict=True):
        if source.mirror is not None and checkpoint.model == source.mirror.repository:
            typer.echo(
                f"the hub does not give {source.repository}: this is {checkpoint.model} instead, "
                f"whose vectors are of another space",
                err=True,
            )
    if as_json:
        print_json(
            [{"model": c.model, "revision": c.revision, "folder": str(c.folder)} for c in fetched]
        )
        return
    for checkpoint in fetched:
        typer.echo(
            f"{checkpoint.model} at {checkpoint.revision} in {display_path(checkpoint.folder)}"
        )


def _as_object(entry: ListedModel) -> dict[str, Any]:
    return {
        "name": entry.info.name,
        "target": entry.info.target,
        "package": entry.info.package,
        "version": entry.info.version,
        "summary": entry.info.summary,
        "dimension": entry.info.dimension,
        "parameters": entry.parameters,
        "licence": entry.licence,
        "repositories": entry.repositories,
        "reported": [
            {"measure": r.measure, "value": r.value, "source": r.source} for r in entry.reported
        ],
        "default": entry.is_default,
        "seconds_a_minute": entry.seconds,
    }


def _reported(entry: ListedModel) -> list[str]:
    """Write the figures that others reported, in lines of 100 columns."""
    return [
        line
        for each in entry.reported
        for line in wrap(
            f"{each.measure} {each.value:g} ({each.source})",
            WIDTH,
            initial_indent="  reported: ",
            subsequent_indent="    ",
        )
    ]


def _seconds(entry: ListedModel) -> str:
    return "" if entry.seconds is None else f"{entry.seconds:.1f}"
