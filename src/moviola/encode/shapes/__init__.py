"""Encode the generated world with the small encoder that ships."""
