"""Fine-tune two-tower models on videos with captions: adapters, or all weights."""
