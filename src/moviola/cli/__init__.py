"""The command line: one file a command, each parses its words and calls one function."""

from moviola.cli.app import main

__all__ = ["main"]
