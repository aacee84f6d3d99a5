"""`tf.keras.utils.experimental`."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

__all__ = ["DatasetCreator"]


class DatasetCreator:
    """A function that makes the data set where it is needed, for `fit` (`tf.keras.utils.experimental.DatasetCreator`).

    `dataset_fn` is called with a `tf.distribute.InputContext`. TypeError for what is not callable and for other results.
    """

    def __init__(self, dataset_fn: Any, input_options: Any = None) -> None:
        if not callable(dataset_fn):
            raise TypeError(f"`dataset_fn` for `DatasetCreator` must be a `callable`. Received: {dataset_fn}")
        if input_options and not isinstance(input_options, tf.distribute.InputOptions):
            raise TypeError(f"`input_options` for `DatasetCreator` must be a `tf.distribute.InputOptions`. Received: {input_options}")
        self.dataset_fn = dataset_fn
        self.input_options = input_options

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        dataset = self.dataset_fn(*args, **kwargs)
        if not isinstance(dataset, tf.data.Dataset):
            raise TypeError(f'The `callable` provided to `DatasetCreator` must return a Dataset. It returns "{dataset}"')
        return dataset
