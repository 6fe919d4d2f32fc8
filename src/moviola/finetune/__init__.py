"""Fine-tune two-tower models on pairs of videos and captions: adapters, or all weights."""
