"""Search passages of text by meaning: windows of them, their vectors, and hits among those."""
