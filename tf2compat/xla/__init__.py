"""`tf.xla`: older ways to ask for compiling (`tf.function(jit_compile=True)` is today's)."""

from . import experimental

__all__ = ["experimental"]
