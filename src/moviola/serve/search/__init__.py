"""Answer searches over HTTP: the library that is watched, batches, and parameters."""
