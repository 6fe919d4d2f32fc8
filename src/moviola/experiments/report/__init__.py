"""Run the reference report's alignment experiments, with verdicts and remedies."""
