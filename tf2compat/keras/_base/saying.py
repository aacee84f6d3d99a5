"""What Keras tells the user while it works: on standard output, or in the log where interactive logging is off."""

from __future__ import annotations

import sys


class _Interactive:
    on = True


interactive = _Interactive()


def say(message: str, end: str = "\n") -> None:
    """Print a message at once, or log it."""
    if interactive.on:
        sys.stdout.write(message + end)
        sys.stdout.flush()
    else:
        from absl import logging  # takes longer to load than what is said takes to say

        logging.info(message)
