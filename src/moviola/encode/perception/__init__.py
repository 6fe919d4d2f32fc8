"""Encode with Perception Encoder models (Bolya et al. and Vyas et al., 2025)."""
