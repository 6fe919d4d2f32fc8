"""Parse the command line: one file a command, which calls one function."""

from moviola.cli.app import main

__all__ = ["main"]
