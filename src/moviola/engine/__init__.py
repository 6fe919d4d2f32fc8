"""Spread an index run over many processes and machines: plan, work, commit, status."""
