"""Encode with VideoLLaMA 3 (Zhang et al., 2025, arXiv 2501.13106)."""
