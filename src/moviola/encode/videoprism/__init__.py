"""Encode with VideoPrism (Zhao et al., ICML 2024, arXiv 2402.13217)."""
