"""Encode and score with X-CLIP (Ni et al., ECCV 2022, arXiv 2208.02816)."""
