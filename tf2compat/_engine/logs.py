"""The logger that TensorFlow programs configure."""

from __future__ import annotations

import logging
import sys
from typing import Any


class _Standard(logging.StreamHandler):  # type: ignore[type-arg]
    """Prints on standard error as TensorFlow does, unless the program has set up logging of its own."""

    @property
    def stream(self) -> Any:
        return sys.stderr  # of the moment: programs and notebooks replace it

    @stream.setter
    def stream(self, value: Any) -> None:
        pass  # never another

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers:
            super().emit(record)


def get_logger() -> logging.Logger:
    """The logger that TensorFlow programs configure (`tf.get_logger`)."""
    found = logging.getLogger("tensorflow")
    if not found.handlers:
        handler = _Standard()
        handler.setFormatter(logging.Formatter("%(levelname)s:%(name)s:%(message)s"))
        found.addHandler(handler)
    return found
