"""Generate paired embeddings of two towers whose common meaning is known."""
