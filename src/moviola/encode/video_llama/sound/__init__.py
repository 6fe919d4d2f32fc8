"""Encode a clip's sound for Video-LLaMA: mel spectrograms and ImageBind's trunk."""
