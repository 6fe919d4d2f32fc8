"""Fetch, load and run models: hub, weights, preprocessing, precision, batches."""
