"""`tf2compat.to_torch` and `tf2compat.from_torch`: Keras layers and torch modules as each other, with shared weights."""

from __future__ import annotations

from typing import Any

import torch

from tf2compat import _ports


def to_torch(source: Any) -> torch.nn.Module:
    """A torch module that runs a built Keras model or layer, or a callable `tf.Module`, and shares its weights.

    It trains with torch's optimizers, exports with `torch.export`, and its `state_dict` holds the variables under their names. Assignments
    to the variables reach the module and the other way round. ValueError before the weights are there, TypeError for what cannot be called.
    """
    return _ports.load("module_bridge", "torch").to_torch(source)


def from_torch(module: torch.nn.Module, **kwargs: Any) -> Any:
    """A Keras layer around a torch module: its parameters are trainable weights that the module and the layer share.

    Gradients of tapes, `fit`, `tf.function` and checkpoints work as with any layer; `kwargs` are the layer's (`name`, …). TypeError for what
    is no module.
    """
    return _ports.load("module_bridge", "torch").from_torch(module, **kwargs)
