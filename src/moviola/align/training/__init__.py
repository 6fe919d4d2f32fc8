"""Train heads with Lightning: networks, losses, batches and histories."""
