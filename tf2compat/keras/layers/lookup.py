"""StringLookup and IntegerLookup: vocabularies."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import torch

import tf2compat as tf
from tf2compat._engine import dtypes
from tf2compat._engine.dtypes import INTS
from tf2compat._engine.op import op, tensor

from .._base.config import settings
from ._adapting import MODES, PreprocessingLayer, check_mode, encode, encoded_shape, listed


class Table:
    """Tokens and their numbers; shared by the graphs that use it, so that a new vocabulary shows everywhere."""

    def __init__(self) -> None:
        self.index: dict[Any, int] | None = None
        self.tokens: list[Any] = []
        self.sorted: Any = None

    def fill(self, tokens: list[Any], first: int) -> None:
        self.tokens = tokens
        self.index = {t: first + i for i, t in enumerate(tokens)}
        self.sorted = None

    def _graph_state(self) -> Any:
        return [None if self.index is None else list(self.index.values())[:1], self.tokens]

    @classmethod
    def _of_graph_state(cls, state: Any) -> Table:
        table = cls()
        first, tokens = state
        if first is not None:
            table.fill(tokens, *first or [0])
        return table

    def needed(self) -> dict[Any, int]:
        if self.index is None:
            from tf2compat.errors import FailedPreconditionError

            raise FailedPreconditionError(None, None, "Table not initialized. [Op:LookupTableFindV2] name: ")
        return self.index


def _all_known(found: Any, values: Any) -> None:
    if bool((found < 0).any()):
        from tf2compat.errors import InvalidArgumentError

        flat, wrong = np.asarray(values).reshape(-1), (found < 0).reshape(-1).numpy()
        shown = [v.decode() if isinstance(v, bytes) else v for v in flat[wrong][:10]]
        raise InvalidArgumentError(
            None, None, f"When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values {shown}, consider setting "
            "`num_oov_indices=1`."
        )  # fmt: skip


@op("KerasLookup", stateful=True, x=tensor(INTS, dtypes.string))
def _find(x: Any, table: Table, mask: Any, mask_place: int, oov_start: int, oov: int) -> Any:
    """The numbers of integer tokens; -1 for the mask where it has no number."""
    if x.device.type == "meta":
        return torch.empty(x.shape, dtype=torch.int64, device="meta")
    index = table.needed()
    if table.sorted is None:
        keys = torch.tensor(sorted(int(t) for t in index), dtype=torch.int64)
        table.sorted = (keys, torch.tensor([index[int(k)] for k in keys], dtype=torch.int64))
    keys, places = (t.to(x.device) for t in table.sorted)
    wide = x.long()
    if not len(keys):
        found = torch.full_like(wide, -1)
    else:
        at = torch.searchsorted(keys, wide).clamp(max=len(keys) - 1)
        found = torch.where(keys[at] == wide, places[at], -1)
    masked = torch.zeros_like(wide, dtype=torch.bool) if mask is None else wide == int(mask)
    if oov == 0:
        _all_known(torch.where(masked, 0, found).cpu(), wide.cpu().numpy())
    elif oov == 1:
        found = torch.where(found < 0, oov_start, found)
    else:
        found = torch.where(found < 0, oov_start + torch.remainder(wide, oov), found)
    return torch.where(masked, mask_place, found)


@_find.strings
def _(x: Any, table: Table, mask: Any, mask_place: int, oov_start: int, oov: int) -> Any:
    index = table.needed()
    flat = x.reshape(-1)
    found = np.fromiter((index.get(v, -1) for v in flat), dtype=np.int64, count=flat.shape[0])
    masked = np.zeros(flat.shape, bool) if mask is None else np.fromiter((v == mask for v in flat), dtype=bool, count=flat.shape[0])
    unknown = (found < 0) & ~masked
    if unknown.any():
        if oov == 0:
            _all_known(torch.from_numpy(np.where(masked, 0, found)), flat)
        elif oov == 1:
            found[unknown] = oov_start
        else:
            hashed = tf.strings.to_hash_bucket_fast(tf.constant(flat[unknown]), oov)
            found[unknown] = oov_start + hashed.numpy()
    found[masked] = mask_place
    return torch.from_numpy(found.reshape(x.shape))


@_find.infer
def _(x: Any, table: Table, mask: Any, mask_place: int, oov_start: int, oov: int) -> Any:
    return [(dtypes.int64, tuple(x.shape))]


@op("KerasInverseLookup", stateful=True, x=tensor(INTS))
def _token_of(x: Any, tokens: list[Any], unknown: Any, text: bool) -> Any:
    if x.device.type == "meta":
        return torch.empty(x.shape, dtype=torch.int64, device="meta")
    flat = x.reshape(-1).tolist()
    found = [tokens[i] if 0 <= i < len(tokens) and tokens[i] is not None else unknown for i in flat]
    if not text:
        return torch.tensor(found, dtype=torch.int64, device=x.device).reshape(x.shape)
    out = np.empty(len(found), dtype=object)
    out[:] = found
    return out.reshape(tuple(x.shape))


@_token_of.infer
def _(x: Any, tokens: list[Any], unknown: Any, text: bool) -> Any:
    return [(dtypes.string if text else dtypes.int64, tuple(x.shape))]


class IndexLookup(PreprocessingLayer):
    """Tokens to numbers, or numbers to tokens with `invert`: the mask first, then the unknown ones, then the vocabulary."""

    _text: bool

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens={max_tokens}")
        if num_oov_indices < 0:
            raise ValueError(f"`num_oov_indices` must be greater than or equal to 0. Received: num_oov_indices={num_oov_indices}")
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(output_mode, output_mode)
        check_mode(output_mode, MODES, type(self).__name__)
        if invert and output_mode != "int":
            raise ValueError(f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={output_mode}")
        if sparse and output_mode == "int":
            raise ValueError(
                "`sparse` may only be true if `output_mode` is `'one_hot'`, `'multi_hot'`, `'count'` or `'tf_idf'`. Received: "
                f"sparse={sparse} and output_mode={output_mode}"
            )
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                f"`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: idf_weights={idf_weights} and "
                f"output_mode={output_mode}"
            )
        self._saved_size = kwargs.pop("vocabulary_size", None)
        kwargs.pop("has_input_vocabulary", None)
        kwargs.pop("has_static_table", None)
        kwargs.setdefault("dtype", "int64" if output_mode == "int" else settings.floatx)
        given = getattr(kwargs["dtype"], "compute_dtype", kwargs["dtype"])  # of a policy
        if output_mode == "int" and given is not None and not tf.as_dtype(given).is_integer:
            raise ValueError(f"When `output_mode='int'`, `dtype` should be an integer type. Received: dtype={kwargs['dtype']}")
        super().__init__(**kwargs)
        self.invert = invert
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.output_mode = output_mode
        self.sparse = sparse
        self.pad_to_max_tokens = pad_to_max_tokens
        d = self.__dict__
        d["input_vocabulary"] = vocabulary
        d["input_idf_weights"] = idf_weights
        d["_table"] = Table()
        d["_size_when_called"] = None
        d["_counts"] = collections.Counter()
        d["_documents"] = collections.Counter()
        d["_seen"] = 0
        d["_idf"] = None
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        else:  # by which Keras' checkpoints know a layer that adapts; it is empty in them
            self.token_counts = tf.lookup.experimental.MutableHashTable("string" if self._text else "int64", "int64", 0)

    # --- tokens ----------------------------------------------------------------------------------------------------
    def _key(self, token: Any) -> Any:
        raise NotImplementedError

    def _shown(self, token: Any) -> Any:
        raise NotImplementedError

    #: what a token is in `get_vocabulary`, and whether special ones are, too
    _listed: Any = np.str_
    _special_listed = False

    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers, with the mask and unknown ones unless `include_special_tokens` is False.

        They are NumPy's strings and integers, which also compare and print as Keras' do.
        """
        if self._table.index is None:
            tokens: list[Any] = []
            if not include_special_tokens:
                return tokens
        else:
            tokens = [self._listed(self._shown(t)) for t in self._table.tokens]
        if not include_special_tokens:
            return tokens
        special = [self.mask_token] if self.mask_token is not None and self.output_mode == "int" else []
        special = [*special, *[self.oov_token] * self.num_oov_indices]
        return [*([self._listed(t) for t in special] if self._special_listed else special), *tokens]

    def vocabulary_size(self) -> int:
        """The number of tokens, special ones included."""
        return len(self._table.tokens) + self._token_start()

    def _expected_size(self) -> int:
        """`vocabulary_size()`; of a layer that was made from its config and has no vocabulary yet, the number in the config."""
        if self._table.index is None and self._saved_size is not None:
            return int(self._saved_size)
        return self.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use these tokens: a list, an array, or the path of a file with one a line. ValueError for repeated or misplaced ones."""
        if self.output_mode == "tf_idf" and idf_weights is None and not isinstance(vocabulary, str):
            raise ValueError("`idf_weights` must be set if output_mode is TF_IDF.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(f"`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: output_mode={self.output_mode}")
        if not tf.executing_eagerly() and (tf.is_tensor(vocabulary) or tf.is_tensor(idf_weights)):
            raise RuntimeError(
                f"Cannot set a tensor vocabulary on {type(self).__name__} layer {self.name} when not executing eagerly. Create this layer or "
                "call `set_vocabulary` outside of any `tf.function`s and with eager execution enabled."
            )
        from_file = isinstance(vocabulary, str)
        if from_file:
            if not tf.io.gfile.exists(vocabulary):
                raise ValueError(f"Vocabulary file {vocabulary} does not exist.")
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = [line.rstrip("\n") for line in file]
        tokens = listed(vocabulary) if not isinstance(vocabulary, (list, tuple)) else list(vocabulary)
        if not tokens and not from_file:
            raise ValueError(f"Cannot set an empty vocabulary, you passed {vocabulary}.")
        if self._text and tokens and not any(isinstance(t, (str, bytes)) for t in tokens):
            first = np.asarray(vocabulary).reshape(-1)[0]
            if tf.is_tensor(vocabulary):
                raise TypeError(f"Expected binary or unicode string, got {first!r}")
            kind = type(first.item() if isinstance(first, np.generic) else first).__name__
            raise ValueError(f"Failed to convert a NumPy array to a Tensor (Unsupported object type {kind}).")
        keys = [self._key(t) for t in tokens]
        special = [] if self.mask_token is None or self.output_mode != "int" else [self._key(self.mask_token)]
        unknown = [self._key(self.oov_token)] * self.num_oov_indices
        start = [*special, *unknown]
        if keys[: len(start)] == start and start:
            keys = keys[len(start) :]
        elif self.mask_token is not None and not special and keys[:1] == [self._key(self.mask_token)]:
            keys = keys[1:]
            keys = keys[len(unknown) :] if keys[: len(unknown)] == unknown else keys
        repeated = [self._shown(k) for k, n in collections.Counter(keys).items() if n > 1]
        if repeated and from_file:
            first, again = [n for n, k in enumerate(keys) if self._shown(k) == repeated[0]][:2]
            raise tf.errors.FailedPreconditionError(
                None, None, f"HashTable has different value for same key. Key {repeated[0]} has {first + self._token_start()} and trying to add "
                f"value {again + self._token_start()} [Op:InitializeTableFromTextFileV2] name: ",
            )  # fmt: skip
        if repeated:
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please uniquify your dataset. The repeated terms are "
                f"{[np.str_(r) if isinstance(r, str) else r for r in repeated]}"
            )
        for word, token in (("mask", self.mask_token), ("OOV", self.oov_token if self.num_oov_indices else None)):
            if token is not None and self._key(token) in keys:
                raise ValueError(
                    f"Found reserved {word} token at unexpected location in `vocabulary`. Note that passed `vocabulary` does not need to "
                    "include the OOV and mask tokens. Either remove all mask and OOV tokens, or include them only at the start of the "
                    f"vocabulary in precisely this order: {[self._shown(s) for s in start]}. Received: {word.lower()}_token={token} at "
                    f"vocabulary index {keys.index(self._key(token))}"
                )
        whole = len(keys) + self._token_start()
        if self.max_tokens is not None and whole > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Passed vocab size is "
                f"{whole}, max vocab size is {self.max_tokens}."
            )
        self._table.fill(keys, self._token_start())
        if self.output_mode == "tf_idf" and idf_weights is not None:
            weights = np.asarray(listed(idf_weights), "float32")
            if len(weights) != len(tokens):
                raise ValueError(
                    "`idf_weights` must be the same length as vocabulary. len(idf_weights) is "
                    f"{len(weights)}; len(vocabulary) is {len(tokens)}"
                )
            self._set_idf(weights[len(tokens) - len(keys) :])

    def _set_idf(self, weights: Any) -> None:
        front = np.full(self._token_start(), float(np.mean(weights, dtype="float64")) if len(weights) else 0.0, "float32")
        whole = np.concatenate([front, weights]).astype("float32")
        if self.pad_to_max_tokens and self.max_tokens is not None:
            whole = np.concatenate([whole, np.zeros(self.max_tokens - len(whole), "float32")])
        self.__dict__["_idf"] = whole

    def _weights_of_terms(self) -> Any:
        """The weights of tf-idf; zeros while there is no vocabulary, so that a model can be built from its config."""
        if self.output_mode == "tf_idf" and self.__dict__["_idf"] is None:
            return np.zeros(self._depth(), "float32")
        return self.__dict__["_idf"]

    # --- adapting --------------------------------------------------------------------------------------------------
    def build(self, input_shape: Any) -> None:
        """Nothing has to be made."""
        self.built = True

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch; rows are documents."""
        if self.__dict__["input_vocabulary"] is not None:
            raise ValueError(
                f"Cannot adapt {type(self).__name__} layer after setting a static vocabulary via init argument or `set_vocabulary`."
            )
        rows = _rows(data)
        for row in rows:
            tokens = [self._key(v) for v in row]
            self._counts.update(tokens)
            if self.output_mode == "tf_idf":
                self._documents.update(set(tokens))
        self.__dict__["_seen"] += len(rows)

    def reset_state(self) -> None:
        """Forget all data."""
        if self.__dict__["input_vocabulary"] is None:
            self._counts.clear()
            self._documents.clear()
            self.__dict__["_seen"] = 0

    def finalize_state(self) -> None:
        """Make the vocabulary: the most frequent tokens first, of equal ones the last in order first."""
        if self.__dict__["input_vocabulary"] is not None or not self._counts:
            return
        left_out = {self._key(t) for t in (self.mask_token, self.oov_token) if t is not None}
        ranked = sorted(((n, t) for t, n in self._counts.items() if t not in left_out), reverse=True)
        tokens = [t for _, t in ranked]
        if self.max_tokens is not None:
            tokens = tokens[: self.max_tokens - self._token_start()]
        self._table.fill(tokens, self._token_start())
        if self.output_mode == "tf_idf":
            self._set_idf(np.array([np.log(1 + self._seen / (1 + self._documents[t])) for t in tokens], "float32"))

    # --- calling ---------------------------------------------------------------------------------------------------
    def _inputs(self, inputs: Any) -> Any:
        return inputs if hasattr(getattr(inputs, "shape", None), "rank") else tf.convert_to_tensor(inputs)

    def call(self, inputs: Any) -> Any:
        """The numbers of tokens in the form that `output_mode` says, or the tokens of numbers."""
        if self.output_mode != "int" and not self.pad_to_max_tokens and self._table.index is None and self._saved_size is None:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, you must set the layer's vocabulary before calling "
                "it. Either pass a `vocabulary` argument to the layer, or call `adapt` with some sample data."
            )
        self._keep_size()
        inputs = self._inputs(inputs)
        if hasattr(inputs, "flat_values"):
            found = inputs.with_flat_values(self._found(inputs.flat_values))
        elif isinstance(inputs, tf.SparseTensor):
            found = inputs.with_values(self._found(inputs.values))
        else:
            found = self._found(inputs)
        if self.output_mode == "int":
            return found
        return encode(found, self.output_mode, self._depth(), self.compute_dtype, self.sparse, None, self._weights_of_terms())

    def _keep_size(self) -> None:
        """RuntimeError where the size of the results was another in an earlier call."""
        if self.output_mode == "int" or self.pad_to_max_tokens or self._table.index is None:
            return
        before, now = self.__dict__["_size_when_called"], self.vocabulary_size()
        if before is not None and before != now:
            raise RuntimeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the vocabulary size cannot be changed after the layer "
                f"is called. Old vocab size is {before}, new vocab size is {now}"
            )
        self.__dict__["_size_when_called"] = now

    def _found(self, inputs: Any) -> Any:
        if self.invert:
            tokens = [None] * self._token_start() + list(self._table.tokens)
            if self.mask_token is not None:
                tokens[0] = self._key(self.mask_token)
            found = _token_of(tf.cast(inputs, tf.int64), tokens, self._key(self.oov_token), self._text)
            return found
        mask = None if self.mask_token is None else self._key(self.mask_token)
        place = 0 if self.output_mode == "int" else -1
        found = _find(inputs, self._table, mask, place, self._oov_start(), self.num_oov_indices)
        return tf.cast(found, self.compute_dtype) if self.output_mode == "int" else found

    def _depth(self) -> int:
        return self.max_tokens if self.pad_to_max_tokens else self._expected_size()  # type: ignore[return-value]

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the encoded tokens."""
        return encoded_shape(input_shape, self.output_mode, self._depth())

    def compute_output_signature(self, input_signature: Any) -> Any:
        """The spec of the encoded tokens, or of the tokens of numbers."""
        dtype = "string" if self.invert and self._text else "int64" if self.invert else self.compute_dtype
        return tf.TensorSpec(self.compute_output_shape(input_signature.shape.as_list()), dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        config = super().get_config()
        config.update({
            "invert": self.invert, "max_tokens": self.max_tokens, "num_oov_indices": self.num_oov_indices, "oov_token": self.oov_token,
            "mask_token": self.mask_token, "output_mode": self.output_mode, "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens, "idf_weights": listed(self.__dict__["input_idf_weights"]),
            "vocabulary": listed(self.__dict__["input_vocabulary"]), "vocabulary_size": self._expected_size(),
        })  # fmt: skip
        return config

    def save_assets(self, folder: str) -> None:
        """Write the vocabulary to a file in `folder`."""
        import os

        tokens = self.adapted_vocabulary()
        if tokens is not None:
            with open(os.path.join(folder, "vocabulary.txt"), "w", encoding="utf-8") as file:
                file.write("\n".join(tokens))

    def load_assets(self, folder: str) -> None:
        """Read the vocabulary that `save_assets` wrote."""
        import os

        path = os.path.join(folder, "vocabulary.txt")
        if self.__dict__["input_vocabulary"] is None and os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                lines = file.read().split("\n")
            self.restore_vocabulary(lines)

    def adapted_vocabulary(self) -> list[str] | None:
        """The vocabulary that `adapt` found, for files of models; None where it is part of the config, or not there yet."""
        if self.__dict__["input_vocabulary"] is not None or self._table.index is None:
            return None
        return [str(t) for t in self.get_vocabulary()]

    def restore_vocabulary(self, tokens: list[str]) -> None:
        """Take over what `adapted_vocabulary` gave; the weights of tf-idf are variables of their own."""
        weights = self.__dict__["_idf"]
        self.set_vocabulary(tokens, None if self.output_mode != "tf_idf" else [0.0] * len(tokens))
        if weights is not None:
            self.__dict__["_idf"] = weights

    def save_own_variables(self, store: Any) -> None:
        """Put the weights of tf-idf into `store`."""
        super().save_own_variables(store)
        if self.__dict__["_idf"] is not None:
            store["idf_weights"] = self.__dict__["_idf"]

    def load_own_variables(self, store: Any) -> None:
        """Take the weights of tf-idf from `store`."""
        if "idf_weights" in store:
            self.__dict__["_idf"] = np.asarray(store["idf_weights"], "float32")


def _rows(data: Any) -> list[list[Any]]:
    if hasattr(data, "to_list"):
        values = data.to_list()
        return [list(_flat(v)) if isinstance(v, list) else [v] for v in values]
    if isinstance(data, tf.SparseTensor):
        rows: list[list[Any]] = [[] for _ in range(int(data.dense_shape[0]))]
        for place, value in zip(data.indices.numpy()[:, 0], data.values.numpy(), strict=True):
            rows[place].append(value)
        return rows
    array = np.asarray(data.numpy() if hasattr(data, "numpy") else data)
    if array.ndim == 0:
        return [[array[()]]]
    if array.ndim == 1:
        return [[v] for v in array]
    return [list(row.reshape(-1)) for row in array]


def _flat(values: Any) -> Any:
    for v in values:
        if isinstance(v, list):
            yield from _flat(v)
        else:
            yield v


class StringLookup(IndexLookup):
    """Strings to numbers by a vocabulary given or found by `adapt`, and back (`tf.keras.layers.StringLookup`)."""

    _text = True

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        encoding: str = "utf-8",
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse, pad_to_max_tokens,
            **kwargs,
        )  # fmt: skip

    def _key(self, token: Any) -> bytes:
        return bytes(token) if isinstance(token, bytes) else str(token).encode(self.encoding)

    def _shown(self, token: Any) -> Any:
        return token.decode(self.encoding) if isinstance(token, bytes) else token

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "encoding": self.encoding}


class IntegerLookup(IndexLookup):
    """Integers to numbers by a vocabulary given or found by `adapt`, and back (`tf.keras.layers.IntegerLookup`)."""

    _text = False

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: Any = None,
        oov_token: Any = -1,
        vocabulary: Any = None,
        vocabulary_dtype: Any = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        **kwargs: Any,
    ) -> None:
        max_tokens = kwargs.pop("max_values", max_tokens)
        num_oov_indices = kwargs.pop("num_oov_values", num_oov_indices)
        mask_token = kwargs.pop("mask_value", mask_token)
        oov_token = kwargs.pop("oov_value", oov_token)
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If `max_tokens` is set for `IntegerLookup`, it must be greater than 1. Received: max_tokens={max_tokens}")
        if num_oov_indices < 0:
            raise ValueError(
                "The value of `num_oov_indices` argument for `IntegerLookup` must >= 0. Received num_oov_indices="
                f"{num_oov_indices}."
            )
        self.vocabulary_dtype = tf.as_dtype(vocabulary_dtype).name
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse, pad_to_max_tokens,
            **kwargs,
        )  # fmt: skip

    def _inputs(self, inputs: Any) -> Any:
        found = super()._inputs(inputs)
        return tf.cast(found, tf.int64) if hasattr(found, "dtype") and found.dtype.is_floating else found

    _listed = np.int64
    _special_listed = True

    def _key(self, token: Any) -> int:
        return int(token)

    def _shown(self, token: Any) -> Any:
        return int(token)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values."""
        return {**super().get_config(), "vocabulary_dtype": self.vocabulary_dtype}


