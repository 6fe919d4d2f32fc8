"""Run fine-tunings: the loop of training by contrast, LoRA, cached gradients, histories."""
