"""Connect Moviola with other programs, one file each."""
