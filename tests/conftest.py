"""Settings of the whole suite."""

from __future__ import annotations

import hypothesis
import pytest
import torch

# A slow, shared machine must not fail a property test; what fails once fails again.
hypothesis.settings.register_profile("tf2compat", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tf2compat")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        import tf2compat as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
        skip = pytest.mark.skip(reason="holds where tensors are in the host's memory, and here they are on a GPU")
        for item in items:
            if item.get_closest_marker("host") is not None:
                item.add_marker(skip)
        return
    skip = pytest.mark.skip(reason="needs a CUDA device, and torch sees none")
    for item in items:
        if item.get_closest_marker("gpu") is not None:
            item.add_marker(skip)
