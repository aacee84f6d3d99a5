"""DenseFeatures and SequenceFeatures: the input of a model from feature columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import tf2compat as tf
from tf2compat.feature_column.base import DenseColumn, FeatureColumn, FeatureTransformationCache, SequenceDenseColumn
from tf2compat.feature_column.serialization import deserialize, serialize

from .._base.layer import Layer


class _State:
    """The variables and tables of a layer's columns."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._variables: dict[Any, dict[str, Any]] = defaultdict(dict)
        self._resources: dict[Any, dict[str, Any]] = defaultdict(dict)

    def create_variable(
        self, feature_column: Any, name: str, shape: Any, dtype: Any = None, trainable: bool = True, use_resource: bool = True,
        initializer: Any = None,
    ) -> Any:  # fmt: skip
        """A weight of the layer, which checkpoints keep under the column's name. ValueError when it exists."""
        own = self._variables[feature_column]
        if name in own:
            raise ValueError("Variable already exists.")
        own[name] = self._layer._add_feature_weight(
            f"{feature_column.name}/{name}", name=name, shape=shape, dtype=dtype, initializer=initializer, trainable=self._layer.trainable and trainable
        )
        return own[name]

    def add_variable(self, feature_column: Any, var: Any) -> None:
        """Have a variable that exists already counted as the layer's."""
        self._layer._track_variable(var)

    def get_variable(self, feature_column: Any, name: str) -> Any:
        """The variable that was created under that name; ValueError without."""
        try:
            return self._variables[feature_column][name]
        except KeyError:
            raise ValueError("Variable does not exist.") from None

    def add_resource(self, feature_column: Any, name: str, resource: Any) -> None:
        """Keep a table with the layer."""
        self._resources[feature_column][name] = resource
        self._layer._resources.setdefault(feature_column.name, {})[name] = resource

    def has_resource(self, feature_column: Any, name: str) -> bool:
        """Whether a table of that name is kept."""
        return name in self._resources[feature_column]

    def get_resource(self, feature_column: Any, name: str) -> Any:
        """The table that was kept under that name; ValueError without."""
        try:
            return self._resources[feature_column][name]
        except KeyError:
            raise ValueError("Resource does not exist.") from None

    def __deepcopy__(self, memo: Any) -> Any:
        return _State(memo.get(id(self._layer), self._layer))


class _Features(Layer):
    """What layers of feature columns have in common."""

    def __init__(self, feature_columns: Any, kind: Any, trainable: bool, name: str | None, partitioner: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        if partitioner is not None:
            raise ValueError("partitioner is not supported: variables are not split up in TensorFlow 2.")
        self.__dict__["_feature_columns"] = _sorted(feature_columns)
        self._resources: Any = {}
        self.__dict__["_state_manager"] = _State(self)
        for column in self._feature_columns:
            if not isinstance(column, kind):
                raise ValueError(
                    f"Items of feature_columns must be a {kind}. You can wrap a categorical column with an embedding_column or "
                    f"indicator_column. Given: {column}"
                )

    def _add_feature_weight(self, path: str, **options: Any) -> Any:
        """A weight that checkpoints keep under `path`, for names of weights repeat from column to column."""
        name = options["name"]
        edges = self._tracked().edges
        before = edges.get(name)
        weight = self.add_weight(**options)
        if before is None:
            edges.pop(name, None)
        else:
            edges[name] = before
        self._track_trackable(weight, path)
        return weight

    def build(self, input_shape: Any) -> None:
        """Create the columns' variables, each in the name scope of its column."""
        for column in self._feature_columns:
            with tf.name_scope(column.name):
                column.create_state(self._state_manager)
        self.built = True

    def _target(self, lead: Any, size: int) -> Any:
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of all columns' numbers side by side."""
        return self._target(input_shape, sum(int(c.variable_shape.num_elements()) for c in self._feature_columns))

    def _flat(self, column: Any, value: Any, rank: int) -> Any:
        """A column's tensor with one dimension for all that it says of an example (or step)."""
        size = int(column.variable_shape.num_elements())
        if value.shape.rank == rank and value.shape[-1] == size:
            return value
        return tf.reshape(value, self._target(tf.shape(value), size))

    def _cache(self, features: Any) -> FeatureTransformationCache:
        if not isinstance(features, dict):
            raise ValueError("We expected a dictionary here. Instead we got: ", features)
        return FeatureTransformationCache(features)

    def _joined(self, tensors: list[Any]) -> Any:
        known = [(t.shape[0], c) for t, c in zip(tensors, self._feature_columns, strict=True) if t.shape[0] is not None]
        for size, column in known[1:]:
            if size != known[0][0]:
                raise ValueError(
                    "Batch size (first dimension) of each feature must be same. Batch size of columns "
                    f"({known[0][1].name}, {column.name}): ({known[0][0]}, {size})"
                )
        return tf.concat(tensors, -1) if len(tensors) > 1 else tensors[0]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return super().get_config() | {"feature_columns": [serialize(c) for c in self._feature_columns], "partitioner": None}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The layer of what `get_config` returned; functions that columns call are looked up by name in `custom_objects`."""
        config = dict(config)
        names: dict[str, Any] = {}
        config["feature_columns"] = [deserialize(c, custom_objects, names) for c in config["feature_columns"]]
        return cls(**config)


def _sorted(feature_columns: Any) -> list[Any]:
    """The columns in the order of their names. ValueError for what is no column, for none, and for a name used twice."""
    if isinstance(feature_columns, FeatureColumn):
        feature_columns = [feature_columns]
    if isinstance(feature_columns, Iterator):
        feature_columns = list(feature_columns)
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    for column in feature_columns:
        if not isinstance(column, FeatureColumn):
            raise ValueError(f"Items of feature_columns must be a FeatureColumn. Given (type {type(column)}): {column}.")
    if not feature_columns:
        raise ValueError("feature_columns must not be empty.")
    names: dict[str, Any] = {}
    for column in feature_columns:
        if column.name in names:
            raise ValueError(
                f"Duplicate feature column name found for columns: {column} and {names[column.name]}. This usually means that these columns "
                "refer to same base feature. Either one must be discarded or a duplicated but renamed item must be inserted in features dict."
            )
        names[column.name] = column
    return sorted(feature_columns, key=lambda c: c.name)


class DenseFeatures(_Features):
    """Feature columns side by side, in the order of their names, as float32 [batch, width] (`tf.keras.layers.DenseFeatures`).

    Called on a dict of features. ValueError for columns that give no dense tensor.
    """

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(feature_columns, DenseColumn, trainable, name, **kwargs)

    @property
    def _is_feature_layer(self) -> bool:
        return True

    def _target(self, lead: Any, size: int) -> Any:
        return (lead[0], size)

    def call(self, features: Any, cols_to_output_tensors: Any = None, training: Any = None) -> Any:
        """The joined columns; `cols_to_output_tensors`, a dict, is given each column's part."""
        cache = self._cache(features)
        found = []
        for column in self._feature_columns:
            with tf.name_scope(column.name):
                value = self._flat(column, column.get_dense_tensor(cache, self._state_manager), 2)
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = value
            found.append(value)
        return self._joined(found)


class SequenceFeatures(_Features):
    """Columns of sequences side by side, float32 [batch, time, width], and the lengths (`tf.keras.experimental.SequenceFeatures`)."""

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(feature_columns, SequenceDenseColumn, trainable, name, **kwargs)

    @property
    def _is_feature_layer(self) -> bool:
        return True

    def _target(self, lead: Any, size: int) -> Any:
        return (lead[0], lead[1], size)

    def call(self, features: Any, training: Any = None) -> Any:
        """The joined columns and int64 lengths [batch]; InvalidArgumentError when columns disagree about the lengths."""
        cache = self._cache(features)
        found, lengths = [], []
        for column in self._feature_columns:
            with tf.name_scope(column.name):
                value, length = column.get_sequence_dense_tensor(cache, self._state_manager)
                found.append(self._flat(column, value, 3))
            lengths.append(length)
        for other in lengths[1:]:
            tf.debugging.assert_equal(lengths[0], other)
        return self._joined(found), lengths[0]
