"""Read annotation files: tables, captions, published splits and protocols."""
