"""Wire the rooms together into whole jobs: index, search, encode, evaluate, align."""
