"""Hold fitted heads: their maps, card and files, and what they expect of each side."""
