"""`tf.queue`: queues of tensors between threads."""

from __future__ import annotations

from .._names import module_getattr
from .queues import FIFOQueue, PaddingFIFOQueue, PriorityQueue, QueueBase, RandomShuffleQueue

__all__ = ["FIFOQueue", "PaddingFIFOQueue", "PriorityQueue", "QueueBase", "RandomShuffleQueue"]

__getattr__ = module_getattr("tf.queue")
