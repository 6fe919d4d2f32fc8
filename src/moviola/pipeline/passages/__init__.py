"""Read passages of videos through channels, take in tables of them, and write them out."""
