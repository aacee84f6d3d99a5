"""`tf.xla.experimental`: computations and blocks that are compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tf2compat as tf

__all__ = ["compile", "jit_scope"]


def compile(computation: Callable[..., Any], inputs: Any = None) -> Any:  # noqa: A001 - TensorFlow's name
    """Run `computation(*inputs)` compiled (`tf.xla.experimental.compile`): its result, a single one in a tuple.

    TypeError when `computation` cannot be called or `inputs` is no list.
    """
    if inputs is not None and not isinstance(inputs, (list, tuple)):
        raise TypeError(f"`inputs` must be a list. Received: inputs={inputs} of type {type(inputs)}.")
    if not callable(computation):
        raise TypeError(f"tf.xla.experimental.compile expects a callable, got {computation!r}")
    result = tf.function(computation, jit_compile=True)(*(inputs or ()))
    return result if result is None or isinstance(result, (list, tuple, dict)) else (result,)


@contextlib.contextmanager
def jit_scope(compile_ops: Any = True, separate_compiled_gradients: bool = False) -> Iterator[None]:
    """A block of a traced function that should be compiled (`tf.xla.experimental.jit_scope`).

    A hint, here as there: a graph that is worth it is compiled as a whole. RuntimeError in eager code.
    """
    if tf.executing_eagerly():
        raise RuntimeError(
            "xla.experimental.jit_scope is not supported when eager execution is enabled. Try use it inside tf.function."
        )
    yield
