"""Explain a bad number by findings of one sentence each, with cause and remedy."""

from moviola.evaluate.diagnostics.diagnosing import diagnose, diagnose_scores
from moviola.evaluate.diagnostics.findings import Diagnosis, Finding, Severity

__all__ = ["Diagnosis", "Finding", "Severity", "diagnose", "diagnose_scores"]
