"""`tf.test.experimental`."""

from __future__ import annotations

import torch

from .._names import module_getattr


def sync_devices() -> None:
    """Wait until the GPUs have done what they were given."""
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            torch.cuda.synchronize(i)


__getattr__ = module_getattr("tf.test.experimental")
