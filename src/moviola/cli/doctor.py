"""Run `moviola doctor`: check whether this machine is fit for the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from moviola.cli.console import print_json, say
from moviola.cli.options import JsonOption, LibraryOption


def run(
    *,
    library: LibraryOption = None,
    bench: Annotated[
        bool,
        typer.Option(
            "--bench",
            help="Measure decoding, the disk and the models whose weights are here, in about a "
            "minute; `moviola models` and `moviola index` use the figures.",
        ),
    ] = False,
    model: Annotated[
        list[str] | None,
        typer.Option(help="With --bench: measure this model; may be given again."),
    ] = None,
    verify_models: Annotated[
        bool,
        typer.Option("--verify-models", help="Also compare downloaded weights with their SHA-256."),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Check versions, FFmpeg's safety floor, decoding, disk and folders; exit 1 on a problem."""
    if model and not bench:
        raise typer.BadParameter("--model goes with --bench")
    if bench:
        return _bench(library, model or [], as_json=as_json)
    from dataclasses import asdict

    from moviola.core.paths import library_path
    from moviola.pipeline.doctor import examine, verify_weights

    findings = examine(library_path(library))
    if verify_models:
        findings += verify_weights()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.detail}")
    return 0 if all(finding.ok for finding in findings) else 1


def _bench(library: Path | None, models: list[str], *, as_json: bool) -> int:
    """Measure this machine, and print and keep the figures."""
    from dataclasses import asdict

    from moviola.core.paths import library_path
    from moviola.pipeline.bench.measuring import measure

    found = measure(library_path(library), models, on_step=lambda what: say(f"measuring {what}"))
    if as_json:
        print_json(asdict(found))
        return 0
    typer.echo(f"decoding: {found.decode:.2f} s a minute of 720p video")
    for name, seconds in sorted(found.models.items(), key=lambda pair: pair[1]):
        typer.echo(f"{name}: {seconds:.2f} s a minute of video in windows of 6 s every 3 s")
    typer.echo(f"disk: {found.write:.0f} MB a second")
    return 0
