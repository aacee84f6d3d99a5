"""FeatureSpace: named features of examples, preprocessed, crossed and encoded together."""

from __future__ import annotations

from typing import Any

import tf2compat as tf

from .. import layers
from .._base import naming
from .._base.layer import Layer
from .._base.serialization import deserialize_keras_object, serialize_keras_object


def _checked_mode(mode: Any, allowed: tuple[str, ...]) -> str:
    if mode not in allowed:
        raise ValueError(f"Invalid value for argument `output_mode`. Expected one of {{{', '.join(map(repr, allowed))}}}. Received: output_mode={mode}")
    return mode


class Cross:
    """Features that are crossed, and into how many bins."""

    def __init__(self, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> None:
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = _checked_mode(output_mode, ("int", "one_hot"))

    @property
    def name(self) -> str:
        return "_X_".join(self.feature_names)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"feature_names": self.feature_names, "crossing_dim": self.crossing_dim, "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Cross:
        """The cross of what `get_config` returned."""
        return cls(**config)


class Feature:
    """A feature's dtype, the layer that preprocesses it, and what form it has in the end."""

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        self.dtype = dtype
        self.preprocessor = deserialize_keras_object(preprocessor) if isinstance(preprocessor, dict) else preprocessor
        self.output_mode = _checked_mode(output_mode, ("int", "one_hot", "float"))

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {"dtype": self.dtype, "preprocessor": serialize_keras_object(self.preprocessor), "output_mode": self.output_mode}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Feature:
        """The feature of what `get_config` returned."""
        return cls(**config)


def _named(name: str | None, kind: str) -> str:
    return name or naming.unique(kind, zero_based=False)


class FeatureSpace(Layer):
    """Preprocesses and encodes a dict of features at once (`tf.keras.utils.FeatureSpace`).

    `adapt` learns vocabularies and statistics from a dataset of dicts. Called on a dict it gives one tensor (`output_mode` "concat")
    or a dict of tensors. ValueError for unknown kinds of features, unknown names in crosses and use before `adapt`.
    """

    @classmethod
    def cross(cls, feature_names: Any, crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """A cross of features, hashed into `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode=output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a layer of the program's own."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number as it is."""
        name = _named(name, "float")
        return Feature("float32", layers.Identity(dtype="float32", name=f"{name}_preprocessor"), "float")

    @classmethod
    def float_rescaled(cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None) -> Feature:
        """A number times `scale`, plus `offset`."""
        name = _named(name, "float_rescaled")
        return Feature("float32", layers.Rescaling(scale=scale, offset=offset, name=f"{name}_preprocessor"), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number less the mean, over the deviation, of the data that `adapt` saw."""
        name = _named(name, "float_normalized")
        return Feature("float32", layers.Normalization(axis=-1, name=f"{name}_preprocessor"), "float")

    @classmethod
    def float_discretized(cls, num_bins: int, bin_boundaries: Any = None, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """The bin that a number falls in."""
        name = _named(name, "float_discretized")
        layer = layers.Discretization(num_bins=num_bins, bin_boundaries=bin_boundaries, name=f"{name}_preprocessor")
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """An integer's place among those that `adapt` saw."""
        name = _named(name, "integer_categorical")
        layer = layers.IntegerLookup(name=f"{name}_preprocessor", max_tokens=max_tokens, num_oov_indices=num_oov_indices)
        return Feature("int64", layer, output_mode)

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """A string's place among those that `adapt` saw."""
        name = _named(name, "string_categorical")
        layer = layers.StringLookup(name=f"{name}_preprocessor", max_tokens=max_tokens, num_oov_indices=num_oov_indices)
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """A string's hash."""
        name = _named(name, "string_hashed")
        return Feature("string", layers.Hashing(name=f"{name}_preprocessor", num_bins=num_bins), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """An integer's hash."""
        name = _named(name, "integer_hashed")
        return Feature("int64", layers.Hashing(name=f"{name}_preprocessor", num_bins=num_bins), output_mode)

    def __init__(
        self,
        features: Any,
        output_mode: str = "concat",
        crosses: Any = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
    ) -> None:
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        super().__init__()
        self.crossing_dim = crossing_dim
        self.hashing_dim = hashing_dim
        self.num_discretization_bins = num_discretization_bins
        own: dict[str, Any] = {name: self._feature_of(name, value) for name, value in features.items()}
        found: list[Cross] = []
        for cross in crosses or ():
            if isinstance(cross, dict):
                cross = deserialize_keras_object(cross)
            if not isinstance(cross, Cross):
                if not crossing_dim:
                    raise ValueError(
                        "When specifying `crosses`, the argument `crossing_dim` (dimensionality of the crossing space) should be specified as well."
                    )
                if any(key not in own for key in cross):
                    raise ValueError(
                        "All features referenced in the `crosses` argument should be present in the `features` dict. "
                        f"Received unknown features: {cross}"
                    )
                cross = Cross(cross, crossing_dim=crossing_dim)
            found.append(cross)
        self.output_mode = _checked_mode(output_mode, ("dict", "concat"))
        d = self.__dict__
        d["features"], d["crosses"] = own, found
        d["crosses_by_name"] = {cross.name: cross for cross in found}
        d["inputs"] = {name: layers.Input(shape=(1,), dtype=f.dtype, name=name) for name, f in own.items()}
        self.preprocessors = {name: f.preprocessor for name, f in own.items()}
        self.crossers = {cross.name: layers.HashedCrossing(cross.crossing_dim, name=cross.name) for cross in found}
        self.one_hot_encoders: dict[str, Any] = {}
        self.concat: Any = None
        d["encoded_features"] = None
        self._is_adapted = False

    def _feature_of(self, name: str, given: Any) -> Feature:
        if isinstance(given, Feature):
            return given
        if isinstance(given, dict):
            return deserialize_keras_object(given)
        kinds: dict[Any, Any] = {
            "float": self.float,
            "float_normalized": self.float_normalized,
            "float_rescaled": self.float_rescaled,
            "float_discretized": lambda name: self.float_discretized(self.num_discretization_bins, name=name),
            "integer_categorical": self.integer_categorical,
            "string_categorical": self.string_categorical,
            "integer_hashed": lambda name: self.integer_hashed(self.hashing_dim, name=name),
            "string_hashed": lambda name: self.string_hashed(self.hashing_dim, name=name),
        }
        if given not in kinds:
            raise ValueError(f"Invalid feature type: {given}")
        return kinds[given](name=name)

    def _adaptable(self) -> list[str]:
        def wants(layer: Any) -> bool:
            return hasattr(layer, "adapt") and not (isinstance(layer, layers.Normalization) and layer.input_mean is not None)

        return [name for name in self.features if wants(self.preprocessors[name])]

    def adapt(self, dataset: Any) -> None:
        """Learn what the features' layers need from a dataset of dicts, batched or not. ValueError for anything else."""
        if not isinstance(dataset, tf.data.Dataset):
            raise ValueError(f"`adapt()` can only be called on a tf.data.Dataset. Received instead: {dataset} (of type {type(dataset)})")
        for name in self._adaptable():
            values = dataset.map(lambda x, name=name: x[name])
            rank = values.element_spec.shape.rank
            if rank == 0:
                values = values.batch(32)
            if rank in (0, 1):
                values = values.map(lambda x: tf.expand_dims(x, -1))
            self.preprocessors[name].adapt(values)
        self._is_adapted = True
        self.get_encoded_features()
        self.built = True

    def get_inputs(self) -> dict[str, Any]:
        """The `Input` of each feature, for a model that takes raw features."""
        self._check_built()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """The encoded features of `get_inputs()`, for a model that is trained on them."""
        self._check_adapted()
        if self.encoded_features is None:
            self.__dict__["encoded_features"] = self._encoded(self.inputs)
        return self.encoded_features

    def _encoder(self, name: str, feature: Any) -> Any:
        """The layer that makes a vector of ids; None where they stay as they are."""
        spec = self.features.get(name) or self.crosses_by_name[name]
        if spec.output_mode != "one_hot":
            return None
        if name not in self.one_hot_encoders:
            layer = self.preprocessors.get(name) or self.crossers.get(name)
            if not feature.dtype.name.startswith("int"):
                raise ValueError(
                    f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should return an int64 dtype. "
                    f"Instead it returns a {feature.dtype.name} dtype."
                )
            if isinstance(layer, (layers.IntegerLookup, layers.StringLookup)):
                size = layer.vocabulary_size()
            elif isinstance(layer, layers.CategoryEncoding):
                size = layer.num_tokens
            elif isinstance(layer, (layers.Discretization, layers.HashedCrossing, layers.Hashing)):
                size = layer.num_bins
            else:
                raise ValueError(
                    f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard feature and the dimensionality of its output "
                    "space is not known, thus it cannot be one-hot encoded. Try using `output_mode='int'`."
                )
            self.one_hot_encoders[name] = layers.CategoryEncoding(num_tokens=size, output_mode="multi_hot")
        return self.one_hot_encoders[name]

    def _encoded(self, data: dict[str, Any]) -> Any:
        plain = {name: self.preprocessors[name](data[name]) for name in self.features}
        crossed = {c.name: self.crossers[c.name]([plain[name] for name in c.feature_names]) for c in self.crosses}
        out: dict[str, Any] = {}
        for name in [*sorted(plain), *sorted(crossed)]:
            feature = plain[name] if name in plain else crossed[name]
            encoder = self._encoder(name, feature)
            if encoder is not None:
                feature = encoder(feature)
            kind = feature.dtype.name
            if self.output_mode == "concat" and (kind.startswith("int") or kind == "string"):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded (it has dtype {kind}). "
                    "Consider using `output_mode='dict'`."
                )
            out[name] = feature
        if self.output_mode == "dict":
            return out
        if self.concat is None:
            self.concat = layers.Concatenate(axis=-1)
        return self.concat(list(out.values()))

    def _check_adapted(self) -> None:
        if not self._is_adapted:
            if self._adaptable():
                raise ValueError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")
            self._is_adapted = True

    def _check_built(self) -> None:
        if not self.built:
            self._check_adapted()
            self.get_encoded_features()
            self.built = True

    def __call__(self, data: Any) -> Any:
        """The encoded features of a dict of scalars (of one example), vectors or columns. ValueError for anything but a dict."""
        self._check_built()
        if not isinstance(data, dict):
            raise ValueError(f"A FeatureSpace can only be called with a dict. Received: data={data} (of type {type(data)}")
        found, single = {}, False
        for key, value in data.items():
            x = value if hasattr(getattr(value, "shape", None), "rank") else tf.convert_to_tensor(value)
            if x.shape.rank == 0:
                x, single = tf.reshape(x, [1, 1]), True
            elif x.shape.rank == 1:
                x = tf.expand_dims(x, -1)
            found[key] = x
        out = self._encoded(found)
        if not single:
            return out
        if self.output_mode == "concat":
            return tf.squeeze(out, axis=0)
        return {name: tf.squeeze(x, axis=0) if x.shape.rank == 2 and x.shape[0] == 1 else x for name, x in out.items()}

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {
            "features": serialize_keras_object(self.features),
            "output_mode": self.output_mode,
            "crosses": serialize_keras_object(self.crosses),
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The space of what `get_config` returned."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """What the features' layers were built with."""
        return {name: feature.preprocessor.get_build_config() for name, feature in self.features.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        for name, inner in config.items():
            if inner is not None:
                self.features[name].preprocessor.build_from_config(inner)
        self._is_adapted = True

    def save(self, filepath: Any) -> None:
        """Save to a `.keras` file, which `tf.keras.models.load_model` reads."""
        from .._files import save_model

        save_model(self, filepath, save_format="keras")

    def save_own_variables(self, store: Any) -> None:
        """Nothing: the layers keep what there is."""

    def load_own_variables(self, store: Any) -> None:
        """Nothing: the layers keep what there is."""
