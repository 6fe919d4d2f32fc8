"""Search a library by a query, with the encoder that indexed it."""
