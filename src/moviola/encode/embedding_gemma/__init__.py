"""Encode with EmbeddingGemma 2 of Google: texts, pictures, sound and clips."""
