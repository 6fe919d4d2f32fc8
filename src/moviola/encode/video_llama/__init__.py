"""Encode with Video-LLaMA (Zhang et al., 2023, arXiv 2306.02858), exact to the original."""
