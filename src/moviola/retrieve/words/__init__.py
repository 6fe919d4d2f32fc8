"""Search passages of text by words: candidates, evidence, and what of a text matched."""
