"""TextVectorization."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.op import op, tensor

from .._base.config import settings
from ._adapting import PreprocessingLayer, check_mode, encode, listed
from .lookup import StringLookup, Table

_PUNCTUATION = re.compile(rb"[!\"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']")
_STANDARD = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = ("whitespace", "character")


def standardized(text: bytes, how: Any) -> bytes:
    """Text in lower case and without punctuation, as `how` says."""
    if how in ("lower_and_strip_punctuation", "lower"):
        text = text.lower()
    if how in ("lower_and_strip_punctuation", "strip_punctuation"):
        text = _PUNCTUATION.sub(b"", text)
    return text


def tokens_of(text: bytes, split: Any, ngrams: Any) -> list[bytes]:
    """The words or characters of a text, or runs of them."""
    if split == "whitespace":
        parts = text.split()
    elif split == "character":
        parts = [c.encode() for c in text.decode("utf-8", "replace")]
    else:
        parts = [text]
    if ngrams is None:
        return parts
    return [b" ".join(parts[i : i + n]) for n in ngrams for i in range(len(parts) - n + 1)]


def _strings(rows: list[list[bytes]]) -> Any:
    width = max((len(r) for r in rows), default=0)
    out = np.empty((len(rows), width), dtype=object)
    out[:] = b""
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


@op("TextTokens", x=tensor(dtypes.string))
def _tokenized(x: Any, how: Any, split: Any, ngrams: Any) -> Any:
    raise TypeError("TextVectorization takes strings")


@_tokenized.strings
def _(x: Any, how: Any, split: Any, ngrams: Any) -> Any:
    return _strings([tokens_of(standardized(v, how), split, ngrams) for v in x.reshape(-1)])


@_tokenized.infer
def _(x: Any, how: Any, split: Any, ngrams: Any) -> Any:
    return [(dtypes.string, (x.shape[0], None))]


@op("TextNumbers", stateful=True, x=tensor(dtypes.string))
def _numbers(x: Any, table: Table, padded: bool, oov_start: int) -> Any:
    raise TypeError("TextVectorization takes strings")


@_numbers.strings
def _(x: Any, table: Table, padded: bool, oov_start: int) -> Any:
    index = table.needed()
    blank = 0 if padded else -1
    flat = x.reshape(-1)
    found = np.fromiter((blank if v == b"" else index.get(v, oov_start) for v in flat), dtype=np.int64, count=flat.shape[0])
    return torch.from_numpy(found.reshape(x.shape))


@_numbers.infer
def _(x: Any, table: Table, padded: bool, oov_start: int) -> Any:
    return [(dtypes.int64, tuple(x.shape))]


@op("FitLength", x=tensor(dtypes.int64))
def _fit(x: Any, length: int) -> Any:
    if x.shape[1] >= length:
        return x[:, :length]
    return torch.nn.functional.pad(x, (0, length - x.shape[1]))


@_fit.infer
def _(x: Any, length: int) -> Any:
    return [(dtypes.int64, (x.shape[0], length))]


def _unknown(argument: str, value: Any, allowed: tuple[str, ...]) -> ValueError:
    return ValueError(  # Keras' spelling
        f"Unkown value for `{argument}` argument of layer TextVectorization. If restoring a model and `{argument}` is a custom callable, please "
        "ensure the callable is registered as a custom object. See https://www.tensorflow.org/guide/keras/save_and_serialize#registering_the_"
        f"custom_object for details. Allowed values are: `None`, a `Callable`, or one of the following values: {allowed}. Received: {value}"
    )


class TextVectorization(PreprocessingLayer):
    """Texts as rows of word numbers, or as vectors over the vocabulary (`tf.keras.layers.TextVectorization`).

    `standardize` and `split` may be functions of string tensors. `adapt` finds the vocabulary.
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str | None = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        **kwargs: Any,
    ) -> None:
        if kwargs.get("dtype") is not None and tf.as_dtype(kwargs["dtype"]) != tf.string:
            raise ValueError(f"`TextVectorization` may only have a dtype of string. Received dtype: {kwargs['dtype']}.")
        kwargs["dtype"] = "string"
        if standardize is not None and not callable(standardize) and standardize not in _STANDARD:
            raise _unknown("standardize", standardize, _STANDARD)
        if split is not None and not callable(split) and split not in _SPLITS:
            raise _unknown("split", split, _SPLITS)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        check_mode(output_mode, ("int", "one_hot", "multi_hot", "count", "tf_idf"), "TextVectorization", none=True)
        if not (ngrams is None or isinstance(ngrams, int) or (isinstance(ngrams, tuple) and all(isinstance(n, int) for n in ngrams))):
            raise ValueError(f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={ngrams}")
        if not (output_sequence_length is None or (isinstance(output_sequence_length, int) and output_sequence_length > 0)):
            raise ValueError(f"`output_sequence_length` must be either None or an integer greater than 0. Received: {output_sequence_length}")
        if output_mode != "int" and output_sequence_length is not None:
            raise ValueError(
                f"`output_sequence_length` must not be set if `output_mode` is not 'int'. Received output_sequence_length={output_sequence_length}."
            )
        if ragged and output_mode != "int":
            raise ValueError(f"`ragged` must not be true if `output_mode` is `'int'`. Received: ragged={ragged} and output_mode={output_mode}")
        if ragged and output_sequence_length is not None:
            raise ValueError(f"`output_sequence_length` must not be set if ragged is True. Received: {output_sequence_length}.")
        size = kwargs.pop("vocabulary_size", None)
        kwargs.pop("has_input_vocabulary", None)
        super().__init__(**kwargs)
        self.max_tokens = max_tokens
        self.standardize = standardize
        self.split = split
        self.ngrams_arg = ngrams
        self.ngrams = tuple(range(1, ngrams + 1)) if isinstance(ngrams, int) else ngrams
        self.output_mode = output_mode
        self.output_sequence_length = output_sequence_length
        self.ragged = ragged
        self.encoding = encoding
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, pad_to_max_tokens=pad_to_max_tokens,
            mask_token="", output_mode=output_mode or "int", sparse=sparse, encoding=encoding, vocabulary_size=size,
        )  # fmt: skip

    def build(self, input_shape: Any) -> None:
        """Nothing has to be made."""
        self.built = True

    # --- the vocabulary --------------------------------------------------------------------------------------------
    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """The number of tokens, special ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch of texts."""
        tokens = self._preprocess(data)
        if hasattr(tokens, "to_list"):
            self._lookup_layer.update_state(tokens)
            return
        array = np.asarray(tokens.numpy(), dtype=object)
        if array.ndim == 1:
            array = array[:, None]
        empty = self.split is not None or self.ngrams is not None
        layer = self._lookup_layer
        for row in array:
            kept = [v for v in row if not (empty and v == b"")]
            layer._counts.update(kept)
            layer._documents.update(set(kept))
        layer.__dict__["_seen"] += len(array)

    def finalize_state(self) -> None:
        """Make the vocabulary."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget all data."""
        self._lookup_layer.reset_state()

    # --- calling -----------------------------------------------------------------------------------------------------
    def _preprocess(self, inputs: Any) -> Any:
        """Tokens [batch, most tokens], the rest empty; texts [batch] without a split; ragged when a function made them."""
        inputs = inputs if hasattr(getattr(inputs, "shape", None), "rank") else tf.convert_to_tensor(inputs)
        rank = inputs.shape.rank
        if rank is not None and rank > 1 and self.split is not None:
            if inputs.shape[-1] != 1:
                raise ValueError(
                    "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape dimension must be 1. "
                    f"Received: inputs.shape={inputs.shape} with rank={rank}"
                )
            inputs = tf.squeeze(inputs, -1)
        if callable(self.standardize):
            inputs = self.standardize(inputs)
        how = None if callable(self.standardize) else self.standardize
        if hasattr(inputs, "flat_values") and not callable(self.split) and self.split is None:
            if how is not None:
                inputs = inputs.with_flat_values(_plain(inputs.flat_values, how))
            return inputs if self.ngrams is None else tf.strings.ngrams(inputs, self.ngrams, separator=" ")
        if callable(self.split):
            if how is not None:
                inputs = _plain(inputs, how)
            found = self.split(inputs)
            return tf.strings.ngrams(found, self.ngrams, separator=" ") if self.ngrams is not None else found
        if self.split is None and self.ngrams is None:
            return inputs if how is None else _plain(inputs, how)
        scalar = len(inputs.shape) == 0
        found = _tokenized(tf.reshape(inputs, [1]) if scalar else inputs, how, self.split, self.ngrams)
        return found[0] if scalar else found

    def call(self, inputs: Any) -> Any:
        """The texts in the form that `output_mode` says."""
        tokens = self._preprocess(inputs)
        layer = self._lookup_layer
        if self.output_mode is None:
            return self._texts(tokens)
        layer._keep_size()
        if hasattr(tokens, "flat_values"):
            if self.output_mode == "int" and self.ragged:
                return layer(tokens)
            tokens = tokens.to_tensor("")
        kept = self.split is None and self.ngrams is None
        found = _numbers(tokens, layer._table, self.output_mode == "int", layer._oov_start())
        if self.output_mode != "int":
            return encode(found, self.output_mode, layer._depth(), settings.floatx, layer.sparse, None, layer._weights_of_terms())
        if self.ragged and not kept:
            return tf.RaggedTensor.from_tensor(found, lengths=tf.reduce_sum(tf.cast(tf.not_equal(tokens, ""), tf.int64), 1))
        if self.output_sequence_length is not None:
            scalar = len(found.shape) == 1 and not kept
            if scalar:
                return _fit(tf.expand_dims(found, 0), self.output_sequence_length)[0]
            return _fit(tf.expand_dims(found, -1) if len(found.shape) == 1 else found, self.output_sequence_length)
        return found

    def _texts(self, tokens: Any) -> Any:
        """The tokens themselves: ragged where texts were taken apart."""
        if hasattr(tokens, "flat_values") or (self.split is None and self.ngrams is None):
            return tokens
        if len(tokens.shape) == 1:
            return tf.boolean_mask(tokens, tf.not_equal(tokens, ""))
        return tf.RaggedTensor.from_tensor(tokens, lengths=tf.reduce_sum(tf.cast(tf.not_equal(tokens, ""), tf.int64), 1))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """[batch, length] or [batch, size of the vocabulary]."""
        if self.output_mode is None:
            return input_shape if self.split is None else input_shape + (None,)
        batch = tf.TensorShape(input_shape)[0]
        if self.output_mode != "int":
            return tf.TensorShape([batch, self._lookup_layer._depth()])
        if self.split is None:
            return tf.TensorShape([batch, 1] if len(tf.TensorShape(input_shape)) > 1 else [batch])
        return tf.TensorShape([batch, self.output_sequence_length])

    def compute_output_signature(self, input_signature: Any) -> Any:
        """The spec of what `call` returns."""
        dtype = "int64" if self.output_mode == "int" else settings.floatx
        return tf.TensorSpec(self.compute_output_shape(tuple(input_signature.shape.as_list())), dtype)

    def save_assets(self, folder: str) -> None:
        """Write the vocabulary to a file in `folder`."""
        self._lookup_layer.save_assets(folder)

    def load_assets(self, folder: str) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        self._lookup_layer.load_assets(folder)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        from .._base.serialization import serialize_keras_object

        config = super().get_config()
        layer = self._lookup_layer
        config.update({
            "max_tokens": layer.max_tokens,
            "standardize": serialize_keras_object(self.standardize) if callable(self.standardize) else self.standardize,
            "split": serialize_keras_object(self.split) if callable(self.split) else self.split, "ngrams": self.ngrams_arg,
            "output_mode": self.output_mode, "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": layer.pad_to_max_tokens, "sparse": layer.sparse, "ragged": self.ragged,
            "vocabulary": listed(layer.__dict__["input_vocabulary"]), "idf_weights": listed(layer.__dict__["input_idf_weights"]),
            "encoding": self.encoding, "vocabulary_size": layer._expected_size(),
        })  # fmt: skip
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer made from what `get_config` returned."""
        from .._base.serialization import deserialize_keras_object

        config = dict(config)
        for key in ("standardize", "split"):
            if isinstance(config.get(key), dict):
                config[key] = deserialize_keras_object(config[key])
        if isinstance(config.get("ngrams"), list):
            config["ngrams"] = tuple(config["ngrams"])
        return cls(**config)


@op("StandardizeText", x=tensor(dtypes.string))
def _plain(x: Any, how: str) -> Any:
    raise TypeError("TextVectorization takes strings")


@_plain.strings
def _(x: Any, how: str) -> Any:
    out = np.empty(x.shape, dtype=object)
    flat_in, flat_out = x.reshape(-1), out.reshape(-1)
    for i, v in enumerate(flat_in):
        flat_out[i] = standardized(v, how)
    return out


@_plain.infer
def _(x: Any, how: str) -> Any:
    return [(dtypes.string, tuple(x.shape))]


