"""The layout of a SavedModel's directory, and objects that only SavedModels have."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from tf2compat._engine.tensor import Tensor, wrap
from tf2compat._engine.trackable import Trackable

PROTO = "saved_model.pb"
FUNCTIONS = "tf2compat_functions.json"
CONSTANTS = "_tf2compat_constants"
IDENTITY = "_tf2compat_identity"
DEFAULT_SIGNATURE = "serving_default"


class Asset(Trackable):
    """A file that belongs to an object and is copied with it (`tf.saved_model.Asset`)."""

    def __init__(self, path: Any) -> None:
        from tf2compat.train._formats import path_text

        self.path = os.path.abspath(path_text(path))
        #: the one storage of the path, by which a saved function's use of it is known
        self.storage = np.empty((), object)
        self.storage[()] = self.path.encode()

    @property
    def asset_path(self) -> Tensor:
        """The file's present path, a scalar string."""
        return wrap(self.storage)

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Tensor:
        return self.asset_path
