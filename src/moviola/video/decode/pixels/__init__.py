"""Turn decoded pictures into upright 8-bit RGB: colours, turns, sizes, picture files."""
