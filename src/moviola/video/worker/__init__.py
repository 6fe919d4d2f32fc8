"""Run decoding in worker processes: pool, sessions, messages and replies."""
