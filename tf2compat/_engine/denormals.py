"""Numbers too small for a float's normal form are zero while traced functions, gradients and updates are computed, as in TensorFlow's kernels.

A processor takes a hundred times as long for them, and training makes them: the averages of optimizers decay towards zero
wherever gradients stay zero. The mode belongs to the thread and goes back to what it was, for the program's own Python and NumPy.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["TINY", "flushed", "flushing"]

#: equal to zero exactly where the running thread flushes
TINY = np.nextafter(0.0, 1.0).item()
flushing = torch.set_flush_denormal


class flushed:
    """Flush in a block."""

    __slots__ = ("before",)

    def __enter__(self) -> None:
        self.before = TINY == 0.0
        if not self.before:
            flushing(True)

    def __exit__(self, *exc: object) -> None:
        if not self.before:
            flushing(False)


for _t in (np.float16, np.float32, np.float64):
    np.finfo(_t)  # finds its numbers out at the first call, and would complain
