"""Keep the older name of VideoLLaMA 3, which libraries remember."""
