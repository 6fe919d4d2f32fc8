"""Model families: what loads them, and the checkpoints known by name. Imports no framework."""
