"""Store a library on disk: card, lock, tables, records, commits and checksums."""
