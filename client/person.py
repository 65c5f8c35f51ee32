"""Whoever sits at the terminal, asked."""

import sys


def ask(question: str) -> str:
    """What they write on one line; where nobody sits there, nothing."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    print(f"{question} ", end="", file=sys.stderr, flush=True)  # noqa: T201 - a question waits on its own line
    return sys.stdin.readline().strip()
