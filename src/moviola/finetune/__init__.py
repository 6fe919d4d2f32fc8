"""Fine-tune models by contrast: two towers on videos, chat models on texts alone."""
