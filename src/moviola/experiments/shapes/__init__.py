"""Train, measure and export the encoder that ships."""
