"""`tf.profiler`: profiles of a program, in `tf.profiler.experimental`."""

from __future__ import annotations

from . import experimental

__all__ = ["experimental"]
