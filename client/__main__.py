"""`python -m client`: the command, where its entry point is not installed."""

from client.cli import main

if __name__ == "__main__":
    main()
