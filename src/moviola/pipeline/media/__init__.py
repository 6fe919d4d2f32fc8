"""Make pictures of clips, and keep their caches small."""
