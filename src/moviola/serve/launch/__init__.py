"""Start the server: settings, port, link and browser."""
