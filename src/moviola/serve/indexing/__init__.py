"""Run indexing that the page starts, in a process of its own."""
