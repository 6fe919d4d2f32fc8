"""Find cuts and dissolves by TransNet V2, a small network that looks at 100 pictures at a time."""
