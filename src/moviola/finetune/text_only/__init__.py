"""Fine-tune chat models on captions and their summaries, without a video (VidVec)."""
