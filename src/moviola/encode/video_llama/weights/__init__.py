"""Load published Video-LLaMA checkpoints strictly."""
