"""Fit, measure and write the general calibration: `python -m moviola.experiments.calibration`."""

from __future__ import annotations

import argparse
from pathlib import Path

from moviola.experiments.calibration.card import measure, write_general
from moviola.experiments.calibration.fitting import fit_general
from moviola.experiments.calibration.matrices import load_matrices


def main() -> None:
    """Read the command line, fit, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the score matrices")
    parser.add_argument("--out", type=Path, required=True, help="file to write, general.json")
    arguments = parser.parse_args()
    matrices = load_matrices(arguments.data)
    fitted = fit_general(matrices)
    measured = measure(matrices, fitted)
    write_general(arguments.out, fitted, measured)
    for line in measured:
        print(line)


if __name__ == "__main__":
    main()
