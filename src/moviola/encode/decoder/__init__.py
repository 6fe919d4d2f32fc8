"""Read decoder language models: inputs, prompts, hidden states and readouts."""
