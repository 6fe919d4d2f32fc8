"""Read inputs of jobs: arrays, embeddings, pairs and tables."""
