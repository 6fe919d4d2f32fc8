"""The version of this Moviola: the one place that the package, its cards and reports read."""

__version__ = "0.1.0"
