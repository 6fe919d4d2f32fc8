"""Encode frames for Video-LLaMA."""
