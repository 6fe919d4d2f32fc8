"""Run `moviola doctor`: check whether this machine is fit for the work."""

from __future__ import annotations

import typer

from moviola.cli.console import print_json
from moviola.cli.options import JsonOption, LibraryOption


def run(*, library: LibraryOption = None, as_json: JsonOption = False) -> int:
    """Check versions, FFmpeg's safety floor, decoding, disk and folders; exit 1 on a problem."""
    from dataclasses import asdict

    from moviola.core.paths import library_path
    from moviola.pipeline.doctor import examine

    findings = examine(library_path(library))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.detail}")
    return 0 if all(finding.ok for finding in findings) else 1
