"""`python -m moviola` is the command line."""

from moviola.cli import main

if __name__ == "__main__":
    main()
