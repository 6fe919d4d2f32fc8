"""Encode and judge with chat models that see videos: Qwen-VL, VideoLLaMA 3 and InternVL."""
