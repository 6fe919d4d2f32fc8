"""`moviola models`: the encoders there are."""

from __future__ import annotations

from dataclasses import asdict

from moviola.cli.console import print_json, print_table
from moviola.cli.options import JsonOption


def run(*, as_json: JsonOption = False) -> None:
    """List the encoders that --model can name, those of plug-ins included."""
    from moviola.plugins import describe_encoder, encoder_names

    found = [describe_encoder(name) for name in encoder_names()]
    if as_json:
        print_json([asdict(entry) for entry in found])
        return
    print_table(
        ("name", "dimension", "from", "what"),
        [
            (
                entry.name,
                str(entry.dimension or "?"),
                f"{entry.package} {entry.version}",
                entry.summary,
            )
            for entry in found
        ],
    )
