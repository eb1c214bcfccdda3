"""`python -m klingo1`."""

from klingo1.cli import main

if __name__ == "__main__":
    main()
