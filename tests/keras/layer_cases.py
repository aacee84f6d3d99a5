"""What each layer must do, recorded from Keras 2 and replayed: one line a case.

    python tests/keras/record_layers.py            # under a Python with TensorFlow and tf-keras: records what is new
    python -m pytest tests/keras/test_layers.py

`case(layer, config, shape, ...)`: `shape` is the input's shape with the batch, a list of shapes for several inputs. Options:
`low`/`high` (range of the inputs), `ints` (integer inputs below it), `mask` (number of valid steps of each row),
`call` (further arguments of the call), `training`, `wrap` (function of (tf, config) that makes the layer), `tol`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Case:
    layer: str
    config: dict[str, Any]
    shape: Any
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.layer} {self.config} {self.shape} {sorted((k, str(v)) for k, v in self.options.items() if k != 'wrap')}"


def _inputs(case: Case) -> list[np.ndarray]:
    shapes = case.shape if isinstance(case.shape, list) else [case.shape]
    found = []
    for i, shape in enumerate(shapes):
        state = np.random.RandomState(i + 1)
        if "ints" in case.options:
            found.append(state.randint(0, case.options["ints"], shape).astype("int32"))
        else:
            values = state.uniform(case.options.get("low", -1.0), case.options.get("high", 1.0), shape)
            found.append(np.round(values, 3).astype(case.options.get("dtype", "float32")))
    return found


def _value(tf: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_value(tf, v) for v in value]
    array = np.asarray(tf.convert_to_tensor(value).numpy())
    kept = [round(float(v), 7) if array.dtype.kind == "f" else int(v) for v in array.astype("float64" if array.dtype.kind == "f" else "int64").ravel()]
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": kept}


def _weighting(tf: Any, out: Any) -> Any:
    total = 0.0
    for i, o in enumerate(tf.nest.flatten(out)):
        if not o.dtype.is_floating:
            continue
        n = int(np.prod(o.shape.as_list(), dtype=int))
        uneven = np.resize(np.array([0.5, -0.75, 1.0, 1.25, 0.3]), n).reshape(o.shape.as_list()) + 0.1 * i
        total = total + tf.reduce_sum(tf.cast(o, tf.float32) * uneven.astype("float32"))
    return total


def plain(config: Any) -> Any:
    """A config as JSON has it."""
    if isinstance(config, dict):
        return {str(k): plain(v) for k, v in config.items()}
    if isinstance(config, (list, tuple)):
        return [plain(v) for v in config]
    if isinstance(config, (str, int, float, bool, type(None))):
        return config
    if hasattr(config, "tolist"):
        return config.tolist()
    if hasattr(config, "as_list"):
        return config.as_list()
    return str(config)


def run_layer_case(tf: Any, case: Case) -> dict[str, Any]:
    """Output, gradients, weights, mask, shapes and config of a layer whose weights are set to fixed values."""
    keras = tf.keras
    options = case.options
    config = dict(case.config)
    if "wrap" in options:
        layer = options["wrap"](tf, config)
    else:
        config.setdefault("name", "the_layer")
        layer = getattr(keras.layers, case.layer)(**config)
    arrays = _inputs(case)
    tensors = [tf.constant(a) for a in arrays]
    given: Any = tensors if isinstance(case.shape, list) else tensors[0]
    kwargs = dict(options.get("call", {}))
    if "training" in options:
        kwargs["training"] = options["training"]
    if "mask" in options:
        steps = arrays[0].shape[1]
        kwargs["mask"] = tf.constant(np.arange(steps)[None, :] < np.array(options["mask"])[:, None])
    layer(given, **kwargs)
    outcome: dict[str, Any] = {}
    state = np.random.RandomState(7)
    weights = []
    for w in layer.weights:
        values = np.round(state.uniform(-0.6, 0.6, w.shape.as_list()), 3)
        weights.append(np.abs(values) + 0.5 if "variance" in w.name else values)
    layer.set_weights([w.astype(np.float32) for w in weights])
    outcome["weights"] = [[w.name, w.shape.as_list(), w.trainable] for w in layer.weights]
    for part in layer._flatten_layers():
        if hasattr(part, "reset_states") and getattr(part, "stateful", False):
            part.reset_states()
    with tf.GradientTape(persistent=True) as tape:
        for t in tensors:
            if t.dtype.is_floating:
                tape.watch(t)
        out = layer(given, **kwargs)
        total = _weighting(tf, out)
    outcome["output"] = _value(tf, list(out) if isinstance(out, (list, tuple)) else out)
    if hasattr(total, "dtype") and options.get("gradient", True):
        floats = [t for t in tensors if t.dtype.is_floating]
        outcome["by_input"] = _value(tf, tape.gradient(total, floats)) if floats else []
        outcome["by_weights"] = _value(tf, tape.gradient(total, layer.trainable_weights))
    outcome["after"] = _value(tf, [w for w in layer.weights if not w.trainable])
    first = out[0] if isinstance(out, (list, tuple)) else out
    mask = getattr(first, "_keras_mask", None)
    outcome["mask"] = None if mask is None else np.asarray(mask.numpy()).astype(int).tolist()
    outcome["losses"] = _value(tf, list(layer.losses))
    if options.get("shape", True):
        open_shape = [(None, *a.shape[1:]) for a in arrays]
        shape = layer.compute_output_shape(open_shape if isinstance(case.shape, list) else open_shape[0])
        outcome["shape"] = plain([tf.TensorShape(s).as_list() for s in shape] if isinstance(shape, list) else tf.TensorShape(shape).as_list())
    if options.get("config", True):
        outcome["config"] = plain(layer.get_config())
        again = type(layer).from_config(layer.get_config())
        outcome["round_trip"] = plain(again.get_config()) == outcome["config"]
    return outcome


CASES: list[Case] = []


def case(layer: str, arguments: dict[str, Any], sizes: Any, **options: Any) -> None:
    CASES.append(Case(layer, arguments, sizes, options))


# --- core ------------------------------------------------------------------------------------------------------------
case("Dense", dict(units=3), (2, 4))
case("Dense", dict(units=3, activation="relu"), (2, 4))
case("Dense", dict(units=2, use_bias=False, activation="softmax"), (2, 3, 4))
case("Dense", dict(units=2, kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2"), (2, 4))
case("Dense", dict(units=2, kernel_initializer="he_normal", bias_initializer="ones", kernel_constraint="max_norm"), (2, 2, 2, 3))
case("Dense", dict(units=2, activation="gelu", trainable=False), (3, 2))
for _name in ("elu", "selu", "softplus", "softsign", "swish", "tanh", "sigmoid", "hard_sigmoid", "exponential", "linear", "mish", "softmax"):
    case("Activation", dict(activation=_name), (2, 5), low=-3, high=3)
case("Identity", {}, (2, 3))
case("Flatten", {}, (2, 3, 2))
case("Flatten", dict(data_format="channels_first"), (2, 3, 2, 2))
case("Flatten", {}, (3,), config=False, shape=False)
case("Flatten", {}, (2, 3))
case("Reshape", dict(target_shape=(3, 2)), (2, 6))
case("Reshape", dict(target_shape=(-1, 2)), (2, 6))
case("Reshape", dict(target_shape=(2, -1, 1)), (2, 2, 3))
case("Reshape", dict(target_shape=(6,)), (2, 2, 3))
case("Permute", dict(dims=(2, 1)), (2, 3, 2))
case("Permute", dict(dims=(3, 1, 2)), (2, 3, 2, 2))
case("RepeatVector", dict(n=3), (2, 4))
case("RepeatVector", dict(n=1), (1, 2))
case("Masking", {}, (2, 3, 2))
case("Masking", dict(mask_value=0.5), (2, 3, 2), low=0.5, high=0.5)
case("ActivityRegularization", dict(l1=0.1, l2=0.2), (2, 4))
for _n in (1, 2, 3):
    _shape = (1, 4, 3, 2, 2)[: _n + 1] + (2,)
    case(f"ZeroPadding{_n}D", {}, _shape)
    case(f"UpSampling{_n}D", {}, _shape)
    case(f"UpSampling{_n}D", dict(size=3), _shape)
case("ZeroPadding1D", dict(padding=(2, 1)), (1, 3, 2))
case("ZeroPadding2D", dict(padding=((1, 0), (0, 2))), (1, 2, 3, 2))
case("ZeroPadding2D", dict(padding=(1, 2), data_format="channels_first"), (1, 2, 3, 2))
case("ZeroPadding3D", dict(padding=((1, 0), (0, 2), (1, 1))), (1, 2, 2, 2, 1))
case("Cropping1D", {}, (1, 5, 2))
case("Cropping1D", dict(cropping=(2, 0)), (1, 5, 2))
case("Cropping2D", dict(cropping=((1, 0), (0, 2))), (1, 3, 4, 2))
case("Cropping2D", dict(cropping=1, data_format="channels_first"), (1, 2, 3, 4))
case("Cropping3D", {}, (1, 3, 4, 3, 2))
case("Cropping3D", dict(cropping=(1, 0, 1)), (1, 3, 2, 4, 2))
case("UpSampling2D", dict(size=(2, 3), interpolation="bilinear"), (1, 3, 2, 2))
case("UpSampling2D", dict(size=(1, 2), data_format="channels_first"), (1, 2, 2, 2))

# --- activations with parameters -----------------------------------------------------------------------------------------
case("ReLU", {}, (2, 4))
case("ReLU", dict(max_value=0.5, negative_slope=0.1, threshold=0.2), (2, 6))
case("ReLU", dict(max_value=6.0), (2, 6), low=-8, high=8)
case("ReLU", dict(negative_slope=0.2), (2, 6))
case("LeakyReLU", {}, (2, 4))
case("LeakyReLU", dict(alpha=0.1), (2, 4))
case("ELU", {}, (2, 4))
case("ELU", dict(alpha=0.7), (2, 4))
case("ThresholdedReLU", dict(theta=0.3), (2, 6))
case("Softmax", {}, (2, 4))
case("Softmax", dict(axis=1), (2, 3, 2))
case("Softmax", dict(axis=(1, 2)), (2, 3, 2))
case("PReLU", {}, (2, 3, 2))
case("PReLU", dict(shared_axes=[1]), (2, 3, 2))
case("PReLU", dict(alpha_initializer="ones", alpha_regularizer="l2", alpha_constraint="non_neg"), (2, 4))

# --- convolutions ----------------------------------------------------------------------------------------------------
case("Conv1D", dict(filters=3, kernel_size=2), (2, 5, 2))
case("Conv1D", dict(filters=2, kernel_size=3, strides=2, padding="same", activation="relu"), (2, 6, 2))
case("Conv1D", dict(filters=2, kernel_size=3, padding="causal", dilation_rate=2), (2, 6, 2))
case("Conv1D", dict(filters=4, kernel_size=2, groups=2, use_bias=False), (2, 5, 4))
case("Conv1D", dict(filters=2, kernel_size=2), (2, 3, 5, 2))
case("Conv2D", dict(filters=3, kernel_size=3), (2, 5, 4, 2))
case("Conv2D", dict(filters=2, kernel_size=(2, 3), strides=2, padding="same", activation="relu"), (2, 6, 5, 2))
case("Conv2D", dict(filters=2, kernel_size=2, padding="same"), (1, 3, 3, 1))
case("Conv2D", dict(filters=2, kernel_size=3, dilation_rate=(2, 1), padding="same"), (1, 6, 5, 2))
case("Conv2D", dict(filters=4, kernel_size=3, groups=2, kernel_regularizer="l2"), (1, 4, 4, 4))
case("Conv2D", dict(filters=2, kernel_size=1, use_bias=False, strides=3), (1, 5, 5, 3))
case("Conv2D", dict(filters=2, kernel_size=2), (2, 1, 3, 3, 2))
case("Conv3D", dict(filters=2, kernel_size=2), (1, 3, 3, 3, 2))
case("Conv3D", dict(filters=2, kernel_size=2, strides=2, padding="same"), (1, 3, 4, 3, 1))
case("Conv3D", dict(filters=2, kernel_size=(1, 2, 3), activation="tanh", use_bias=False), (1, 3, 3, 3, 1))
case("Conv1DTranspose", dict(filters=2, kernel_size=3), (1, 4, 2))
case("Conv1DTranspose", dict(filters=2, kernel_size=3, strides=2, padding="same", activation="relu"), (1, 4, 2))
case("Conv1DTranspose", dict(filters=2, kernel_size=3, strides=2, output_padding=1), (1, 4, 2))
case("Conv2DTranspose", dict(filters=2, kernel_size=3), (1, 3, 4, 2))
case("Conv2DTranspose", dict(filters=2, kernel_size=(2, 3), strides=2, padding="same"), (1, 3, 3, 2))
case("Conv2DTranspose", dict(filters=2, kernel_size=3, strides=2, padding="same", output_padding=1, use_bias=False), (1, 3, 3, 2))
case("Conv2DTranspose", dict(filters=2, kernel_size=2, strides=3), (1, 3, 3, 2))
case("Conv3DTranspose", dict(filters=2, kernel_size=2), (1, 2, 3, 2, 1))
case("Conv3DTranspose", dict(filters=1, kernel_size=3, strides=2, padding="same"), (1, 2, 2, 2, 2))
case("DepthwiseConv1D", dict(kernel_size=3), (1, 5, 2))
case("DepthwiseConv1D", dict(kernel_size=2, depth_multiplier=2, padding="same", strides=2), (1, 5, 2))
case("DepthwiseConv2D", dict(kernel_size=3), (1, 5, 4, 2))
case("DepthwiseConv2D", dict(kernel_size=2, depth_multiplier=2, padding="same", strides=2, activation="relu"), (1, 5, 4, 2))
case("DepthwiseConv2D", dict(kernel_size=3, dilation_rate=2, use_bias=False), (1, 6, 6, 2))
case("SeparableConv1D", dict(filters=3, kernel_size=2), (1, 5, 2))
case("SeparableConv1D", dict(filters=2, kernel_size=3, padding="causal", depth_multiplier=2), (1, 5, 2))
case("SeparableConv1D", dict(filters=2, kernel_size=3, padding="same", strides=2, activation="relu"), (1, 5, 2))
case("SeparableConv2D", dict(filters=3, kernel_size=2), (1, 4, 4, 2))
case("SeparableConv2D", dict(filters=2, kernel_size=3, padding="same", strides=2, depth_multiplier=2, use_bias=False), (1, 5, 5, 2))

# --- pooling -----------------------------------------------------------------------------------------------------------
for _kind in ("Max", "Average"):
    case(f"{_kind}Pooling1D", {}, (1, 5, 2))
    case(f"{_kind}Pooling1D", dict(pool_size=3, strides=2, padding="same"), (1, 6, 2))
    case(f"{_kind}Pooling2D", {}, (1, 5, 4, 2))
    case(f"{_kind}Pooling2D", dict(pool_size=(3, 2), strides=2, padding="same"), (1, 5, 5, 2))
    case(f"{_kind}Pooling2D", dict(pool_size=3, strides=1), (1, 4, 5, 1))
    case(f"{_kind}Pooling2D", dict(pool_size=2, strides=1, padding="same"), (1, 3, 3, 1))
    case(f"{_kind}Pooling3D", {}, (1, 4, 2, 3, 2))
    case(f"{_kind}Pooling3D", dict(pool_size=2, strides=1, padding="same"), (1, 2, 3, 2, 1))
    for _n in (1, 2, 3):
        case(f"Global{_kind}Pooling{_n}D", {}, (2, 3, 2, 2)[: _n + 1] + (2,))
        case(f"Global{_kind}Pooling{_n}D", dict(keepdims=True), (2, 3, 2, 2)[: _n + 1] + (2,))
        case(f"Global{_kind}Pooling{_n}D", dict(data_format="channels_first"), (2, 2, 3, 2, 2)[: _n + 2])
case("GlobalAveragePooling1D", {}, (2, 4, 2), mask=[2, 4])

# --- regularisation, at rest (random numbers differ between implementations) ---------------------------------------------------
for _name, _config, _shape in (
    ("Dropout", dict(rate=0.5), (2, 3)),
    ("Dropout", dict(rate=0.5, noise_shape=(None, 1), seed=3), (2, 3)),
    ("SpatialDropout1D", dict(rate=0.5), (2, 3, 2)),
    ("SpatialDropout2D", dict(rate=0.5), (2, 3, 2, 2)),
    ("SpatialDropout3D", dict(rate=0.5), (2, 3, 2, 2, 2)),
    ("GaussianNoise", dict(stddev=0.5), (2, 3)),
    ("GaussianDropout", dict(rate=0.5), (2, 3)),
    ("AlphaDropout", dict(rate=0.5), (2, 3)),
):
    case(_name, _config, _shape)
    case(_name, _config, _shape, training=False)
case("Dropout", dict(rate=0.0), (2, 3), training=True)
case("GaussianDropout", dict(rate=0.0), (2, 3), training=True)

# --- normalisation -------------------------------------------------------------------------------------------------------
for _training in (False, True):
    case("BatchNormalization", {}, (4, 3), training=_training)
    case("BatchNormalization", dict(momentum=0.8, epsilon=0.01), (3, 4, 2), training=_training)
    case("BatchNormalization", {}, (2, 3, 2, 2), training=_training)
    case("BatchNormalization", dict(axis=1, scale=False), (2, 3, 2, 2), training=_training)
    case("BatchNormalization", dict(axis=1, center=False), (2, 3, 2), training=_training)
    case("BatchNormalization", {}, (2, 2, 2, 2, 2), training=_training)
    case("BatchNormalization", dict(axis=[1, 2]), (3, 2, 2), training=_training)
    case("BatchNormalization", dict(trainable=False), (3, 2), training=_training)
case("BatchNormalization", {}, (2, 3, 2), training=True, mask=[1, 3])
case("LayerNormalization", {}, (2, 4))
case("LayerNormalization", dict(epsilon=0.1, center=False), (2, 3, 4))
case("LayerNormalization", dict(axis=[1, 2], scale=False), (2, 3, 4))
case("LayerNormalization", dict(axis=1), (2, 3, 4))
case("LayerNormalization", dict(gamma_regularizer="l2", beta_initializer="ones"), (2, 2, 2, 3))
case("GroupNormalization", dict(groups=2), (2, 4))
case("GroupNormalization", dict(groups=2), (2, 3, 2, 4))
case("GroupNormalization", dict(groups=-1, scale=False), (2, 3, 4))
case("GroupNormalization", dict(groups=1, axis=1, center=False), (2, 4, 3))
case("UnitNormalization", {}, (2, 4))
case("UnitNormalization", dict(axis=1), (2, 3, 2))
case("UnitNormalization", dict(axis=[1, 2]), (2, 3, 2))

# --- merging ----------------------------------------------------------------------------------------------------------
for _name in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
    case(_name, {}, [(2, 3), (2, 3)])
    case(_name, {}, [(2, 3), (2, 1), (2, 3)])
    case(_name, {}, [(2, 3, 2), (2, 2)], shape=False)
case("Subtract", {}, [(2, 3), (2, 3)])
case("Subtract", {}, [(2, 3), (2, 1)])
case("Concatenate", {}, [(2, 3), (2, 1)])
case("Concatenate", dict(axis=1), [(2, 3, 2), (2, 1, 2), (2, 2, 2)])
case("Concatenate", dict(axis=0), [(2, 3), (1, 3)], shape=False)
case("Dot", dict(axes=1), [(2, 3), (2, 3)])
case("Dot", dict(axes=(1, 2)), [(2, 3, 2), (2, 2, 3)])
case("Dot", dict(axes=-1, normalize=True), [(2, 3), (2, 3)])
case("Dot", dict(axes=(2, 1)), [(2, 3, 4), (2, 4)])

# --- embedding, einsum, attention -------------------------------------------------------------------------------------------
case("Embedding", dict(input_dim=5, output_dim=3), (2, 4), ints=5)
case("Embedding", dict(input_dim=5, output_dim=2, mask_zero=True), (2, 4), ints=5)
case("Embedding", dict(input_dim=5, output_dim=2, input_length=4, embeddings_regularizer="l2"), (2, 4), ints=5)
case("Embedding", dict(input_dim=5, output_dim=2, embeddings_initializer="ones"), (3,), ints=5)
case("EinsumDense", dict(equation="ab,bc->ac", output_shape=3), (2, 4), shape=False)
case("EinsumDense", dict(equation="ab,bc->ac", output_shape=3, bias_axes="c", activation="relu"), (2, 4), shape=False)
case("EinsumDense", dict(equation="abc,cd->abd", output_shape=(None, 2), bias_axes="d"), (2, 3, 4), shape=False)
case("EinsumDense", dict(equation="...x,xy->...y", output_shape=2, bias_axes="y"), (2, 3, 4), shape=False)
case("EinsumDense", dict(equation="abc,cde->abde", output_shape=(None, 2, 2), bias_axes="de"), (2, 3, 4), shape=False)
case("EinsumDense", dict(equation="abcd,cde->abe", output_shape=(None, 3), bias_axes="e"), (2, 3, 2, 2), shape=False)
case("EinsumDense", dict(equation="abc,bd->adc", output_shape=(2, 4), bias_axes="dc"), (2, 3, 4), shape=False)
case("Attention", {}, [(2, 3, 4), (2, 2, 4)])
case("Attention", dict(use_scale=True), [(2, 3, 4), (2, 2, 4), (2, 2, 4)])
case("Attention", dict(score_mode="concat", use_scale=True), [(2, 3, 4), (2, 2, 4)])
case("Attention", {}, [(2, 3, 4), (2, 3, 4)], call=dict(use_causal_mask=True))
case("Attention", dict(score_mode="concat"), [(2, 3, 4), (2, 2, 4)], call=dict(return_attention_scores=True), shape=False)
case("AdditiveAttention", {}, [(2, 3, 4), (2, 2, 4)])
case("AdditiveAttention", dict(use_scale=False), [(2, 3, 4), (2, 2, 4), (2, 2, 4)])
case("AdditiveAttention", {}, [(2, 3, 4), (2, 3, 4)], call=dict(use_causal_mask=True))


def _attending(shape_of_mask: Any = None, **call: Any) -> Any:
    """MultiHeadAttention takes query and value as two arguments; this calls it with the list of inputs."""

    def make(tf: Any, config: dict[str, Any]) -> Any:
        inner = tf.keras.layers.MultiHeadAttention(name="the_layer", **config)
        mask = None if shape_of_mask is None else np.random.RandomState(3).randint(0, 2, shape_of_mask).astype(bool)

        class Caller(tf.keras.layers.Layer):
            def __init__(self) -> None:
                super().__init__(name="caller")
                self.inner = inner

            def call(self, inputs: Any) -> Any:
                kwargs = dict(call)
                if mask is not None:
                    kwargs["attention_mask"] = tf.constant(mask)
                return self.inner(*inputs, **kwargs)

        return Caller()

    return make


for _i, (_config, _shapes, _call) in enumerate((
    (dict(num_heads=2, key_dim=3), [(2, 3, 4), (2, 2, 4)], {}),
    (dict(num_heads=2, key_dim=3, value_dim=2, use_bias=False), [(2, 3, 4), (2, 2, 5), (2, 2, 4)], {}),
    (dict(num_heads=2, key_dim=2, output_shape=3), [(2, 3, 4), (2, 3, 4)], dict(use_causal_mask=True)),
    (dict(num_heads=2, key_dim=2), [(2, 3, 4), (2, 2, 4)], dict(return_attention_scores=True)),
    (dict(num_heads=2, key_dim=2), [(2, 3, 4), (2, 2, 4)], dict(shape_of_mask=(2, 3, 2))),
    (dict(num_heads=2, key_dim=2, attention_axes=(1, 2)), [(2, 2, 3, 4), (2, 2, 2, 4)], {}),
)):  # fmt: skip
    case("MultiHeadAttention", _config, _shapes, wrap=_attending(**_call), tag=f"{_i} {_call}", config=False, shape=False)

# --- recurrent --------------------------------------------------------------------------------------------------------
for _name in ("SimpleRNN", "GRU", "LSTM"):
    case(_name, dict(units=3), (2, 4, 2))
    case(_name, dict(units=3, return_sequences=True), (2, 4, 2))
    case(_name, dict(units=2, return_sequences=True, return_state=True, go_backwards=True), (2, 3, 2))
    case(_name, dict(units=2, use_bias=False, return_state=True), (2, 3, 2))
    case(_name, dict(units=2, activation="relu", dropout=0.3, recurrent_dropout=0.2), (2, 3, 2))
    case(_name, dict(units=2), (3, 4, 2), mask=[2, 4, 1])
    case(_name, dict(units=2, return_sequences=True, return_state=True), (3, 4, 2), mask=[2, 4, 1])
    case(_name, dict(units=2, return_sequences=True, go_backwards=True), (3, 4, 2), mask=[2, 4, 1])
    case(_name, dict(units=2, activation="hard_sigmoid"), (3, 4, 2), mask=[2, 4, 1])
    case(_name, dict(units=2, stateful=True), (2, 3, 2), shape=False)
    case(_name, dict(units=2, unroll=True, kernel_regularizer="l2"), (2, 3, 2))
case("GRU", dict(units=2, reset_after=False), (2, 3, 2))
case("GRU", dict(units=2, reset_after=False, return_sequences=True), (2, 3, 2), mask=[1, 3])
case("GRU", dict(units=2, recurrent_activation="hard_sigmoid"), (2, 3, 2))
case("LSTM", dict(units=2, recurrent_activation="hard_sigmoid", unit_forget_bias=False), (2, 3, 2))
case("LSTM", dict(units=2, time_major=True, return_sequences=True), (3, 2, 2))
case("GRU", dict(units=2, time_major=True), (3, 2, 2))


def _wrapped(outer: str, inner: Any, **options: Any) -> Any:
    """A layer around layers that `inner(keras.layers)` makes."""

    def make(tf: Any, config: dict[str, Any]) -> Any:
        return getattr(tf.keras.layers, outer)(inner(tf.keras.layers), name="the_layer", **config)

    return dict(wrap=make, **options)


for _name in ("SimpleRNN", "GRU", "LSTM"):
    case("Bidirectional", {}, (2, 3, 2), **_wrapped("Bidirectional", lambda L, n=_name: getattr(L, n)(2, name="inner"), tag=_name))
    case("Bidirectional", {}, (2, 3, 2), **_wrapped(
        "Bidirectional", lambda L, n=_name: getattr(L, n)(2, return_sequences=True, name="inner"), tag=f"{_name} sequences"))  # fmt: skip
    case("RNN", {}, (2, 3, 2), **_wrapped("RNN", lambda L, n=_name: getattr(L, n + "Cell")(2, name="inner"), tag=_name))
    case("RNN", dict(return_sequences=True, return_state=True), (2, 3, 2), **_wrapped(
        "RNN", lambda L, n=_name: getattr(L, n + "Cell")(2, name="inner"), tag=_name))  # fmt: skip
    case("RNN", dict(return_sequences=True), (3, 4, 2), mask=[2, 4, 1], **_wrapped(
        "RNN", lambda L, n=_name: getattr(L, n + "Cell")(2, name="inner"), tag=f"{_name} mask"))  # fmt: skip
for _mode in ("sum", "mul", "ave", None):
    case("Bidirectional", dict(merge_mode=_mode), (2, 3, 2), **_wrapped(
        "Bidirectional", lambda L: L.LSTM(2, return_sequences=True, name="inner"), tag="mode"))  # fmt: skip
case("Bidirectional", {}, (3, 4, 2), mask=[2, 4, 1], **_wrapped(
    "Bidirectional", lambda L: L.LSTM(2, return_sequences=True, return_state=True, name="inner"), tag="mask and states"))  # fmt: skip
case("RNN", {}, (2, 3, 2), **_wrapped(
    "RNN", lambda L: [L.LSTMCell(2, name="one"), L.GRUCell(3, name="two")], tag="stacked", config=False))  # fmt: skip
case("RNN", dict(return_sequences=True, return_state=True), (2, 3, 2), **_wrapped(
    "RNN", lambda L: [L.LSTMCell(2, name="one"), L.SimpleRNNCell(3, name="two")], tag="stacked", config=False, shape=False))  # fmt: skip
case("TimeDistributed", {}, (2, 3, 4), **_wrapped("TimeDistributed", lambda L: L.Dense(2, name="inner"), tag="dense"))
case("TimeDistributed", {}, (2, 3, 4, 4, 1), **_wrapped("TimeDistributed", lambda L: L.Conv2D(2, 2, name="inner"), tag="conv"))
case("TimeDistributed", {}, (2, 3, 4), mask=[1, 3], **_wrapped("TimeDistributed", lambda L: L.Dense(2, name="inner"), tag="mask"))

# --- convolutional recurrent, locally connected, spectral -----------------------------------------------------------------------
case("ConvLSTM1D", dict(filters=2, kernel_size=2), (1, 3, 4, 2))
case("ConvLSTM2D", dict(filters=2, kernel_size=2), (1, 3, 4, 3, 1))
case("ConvLSTM2D", dict(filters=1, kernel_size=3, padding="same", return_sequences=True, return_state=True), (1, 3, 4, 3, 1))
case("ConvLSTM2D", dict(filters=1, kernel_size=2, strides=2, go_backwards=True, use_bias=False), (1, 3, 4, 4, 1))
case("ConvLSTM2D", dict(filters=1, kernel_size=2, recurrent_activation="sigmoid", return_sequences=True), (2, 3, 3, 3, 1), mask=[2, 3])
case("ConvLSTM3D", dict(filters=1, kernel_size=2, activation="relu"), (1, 2, 3, 3, 3, 1))
case("LocallyConnected1D", dict(filters=2, kernel_size=2), (2, 5, 3))
case("LocallyConnected1D", dict(filters=2, kernel_size=3, strides=2, padding="same", implementation=2), (2, 5, 2))
case("LocallyConnected1D", dict(filters=2, kernel_size=3, padding="same", implementation=3, activation="relu"), (1, 4, 2))
case("LocallyConnected2D", dict(filters=2, kernel_size=2), (1, 3, 4, 2))
case("LocallyConnected2D", dict(filters=1, kernel_size=2, strides=(2, 1), implementation=2, use_bias=False), (1, 4, 3, 2))
case("LocallyConnected2D", dict(filters=2, kernel_size=2, padding="same", implementation=3), (1, 3, 2, 1))
case("SpectralNormalization", {}, (2, 4), training=False, **_wrapped("SpectralNormalization", lambda L: L.Dense(2, name="inner"), tag="d"))
case("SpectralNormalization", dict(power_iterations=2), (2, 4), training=True, **_wrapped(
    "SpectralNormalization", lambda L: L.Dense(2, name="inner"), tag="t"))  # fmt: skip

# --- preprocessing ----------------------------------------------------------------------------------------------------
case("Normalization", dict(mean=1.0, variance=4.0), (3, 2))
case("Normalization", dict(mean=[1.0, 2.0], variance=[4.0, 1.0], invert=True), (3, 2))
case("Normalization", dict(axis=None, mean=0.5, variance=2.0), (2, 3, 2))
case("Discretization", dict(bin_boundaries=[-0.5, 0.0, 0.5]), (2, 3))
case("Discretization", dict(bin_boundaries=[0.0], output_mode="one_hot"), (3, 1), shape=False)
case("Discretization", dict(bin_boundaries=[-0.5, 0.5], output_mode="count"), (2, 4), shape=False)
case("CategoryEncoding", dict(num_tokens=4), (2, 3), ints=4, config=False)
case("CategoryEncoding", dict(num_tokens=4, output_mode="one_hot"), (3, 1), ints=4)
case("CategoryEncoding", dict(num_tokens=5, output_mode="count"), (2, 3), ints=3)
case("Rescaling", dict(scale=0.5, offset=1.0), (2, 3))
case("Rescaling", dict(scale=1 / 255), (2, 2, 2, 1), ints=255)
case("Resizing", dict(height=4, width=5), (1, 3, 2, 2))
case("Resizing", dict(height=2, width=2, interpolation="nearest"), (1, 5, 3, 1))
case("Resizing", dict(height=2, width=3, crop_to_aspect_ratio=True), (1, 6, 5, 1))
case("CenterCrop", dict(height=2, width=3), (1, 5, 4, 2))
case("CenterCrop", dict(height=4, width=3), (1, 3, 4, 1))

# --- augmentation: bounds that leave one value make the random ones certain -----------------------------------------------------
for _fill in ("reflect", "constant", "wrap", "nearest"):
    case("RandomTranslation", dict(height_factor=(0.3, 0.3), width_factor=(-0.4, -0.4), fill_mode=_fill), (1, 5, 4, 1), training=True, gradient=False)
    case("RandomRotation", dict(factor=(0.1, 0.1), fill_mode=_fill, fill_value=0.5), (1, 5, 4, 1), training=True, tol=1e-4, gradient=False)
    case("RandomZoom", dict(height_factor=(0.4, 0.4), fill_mode=_fill), (1, 5, 4, 1), training=True, tol=1e-4, gradient=False)
case("RandomZoom", dict(height_factor=(-0.4, -0.4), width_factor=(0.2, 0.2), interpolation="nearest"), (1, 5, 4, 2), training=True, gradient=False)
case("RandomRotation", dict(factor=(0.25, 0.25), interpolation="nearest"), (4, 4, 1), training=True, shape=False, gradient=False)
case("RandomBrightness", dict(factor=(0.5, 0.5), value_range=(0, 1)), (2, 2, 2, 1), training=True, gradient=False)
case("RandomHeight", dict(factor=(0.5, 0.5)), (1, 4, 3, 1), training=True, shape=False, gradient=False)
case("RandomWidth", dict(factor=(-0.5, -0.5), interpolation="nearest"), (1, 4, 4, 1), training=True, shape=False, gradient=False)
for _name, _config in (
    ("RandomFlip", dict(mode="vertical")), ("RandomTranslation", dict(height_factor=0.2, width_factor=0.3)),
    ("RandomRotation", dict(factor=0.2, seed=3)), ("RandomZoom", dict(height_factor=0.2)), ("RandomContrast", dict(factor=0.2)),
    ("RandomBrightness", dict(factor=0.2)), ("RandomCrop", dict(height=2, width=2)),
):  # fmt: skip
    case(_name, _config, (1, 4, 4, 1), training=False)
