"""The event-sink port: where summaries go. Adapters are named `events.<name>`; TensorBoard's files are `events.tensorboard`."""

from __future__ import annotations

from typing import Protocol


class EventSink(Protocol):
    """A stream of serialized `Event` messages."""

    def write(self, event: bytes) -> None:
        """Queues one serialized event."""

    def flush(self) -> None:
        """Returns once everything queued has reached the file. Raises the error of a failed write."""

    def close(self) -> None:
        """Flushes and releases the file."""
