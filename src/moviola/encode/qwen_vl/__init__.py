"""Encode and judge with Qwen3-VL-Embedding and Qwen3-VL-Reranker (arXiv 2601.04720)."""
