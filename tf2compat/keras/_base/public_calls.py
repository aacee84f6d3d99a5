"""What ops on symbolic tensors are called in a model: public functions with TensorFlow's arguments, in the place of ops of our own.

A functional model is made of layers that its config names: `tf.where`, not the op behind it. An op whose own name and arguments are
TensorFlow's needs no line here; where there is neither, the op is stored by its place in this package.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from typing import Any

#: public names of ops that are not `tf.<module>.<name>`, as Keras gives them
SYMBOLS = {
    "tf2compat._top.arithmetic._complex": "tf.dtypes.complex",
    "tf2compat._top.arithmetic.floordiv": "tf.compat.v1.floor_div",
    "tf2compat._top.arithmetic.saturate_cast": "tf.dtypes.saturate_cast",
    "tf2compat._top.arrays._mirror_pad": "tf.compat.v1.pad",
    "tf2compat._top.arrays._pad": "tf.compat.v1.pad",
    "tf2compat._top.arrays._pad_by": "tf.compat.v1.pad",
    "tf2compat._top.asserting._ensure_shape": "tf.ensure_shape",
    "tf2compat._top.gathering._boolean_mask": "tf.compat.v1.boolean_mask",
    "tf2compat._top.gathering.gather": "tf.compat.v1.gather",
    "tf2compat._top.gathering.select": "tf.where",
    "tf2compat._top.indexing._strided_slice": "tf.strided_slice",
    "tf2compat._top.joining._repeat_by": "tf.repeat",
    "tf2compat._top.joining._repeat_each": "tf.repeat",
    "tf2compat._top.ordering._bound": "tf.searchsorted",
    "tf2compat._top.shaping.shape": "tf.compat.v1.shape",
    "tf2compat._top.shaping.size": "tf.compat.v1.size",
    "tf2compat._top.shaping.squeeze": "tf.compat.v1.squeeze",
    "tf2compat._top.shaping.transpose": "tf.compat.v1.transpose",
    "tf2compat.image.color._contrast": "tf.image.adjust_contrast",
    "tf2compat.image.color._hue": "tf.image.adjust_hue",
    "tf2compat.image.color._saturation": "tf.image.adjust_saturation",
    "tf2compat.image.color._standardized": "tf.image.per_image_standardization",
    "tf2compat.image.geometry._central_crop": "tf.image.central_crop",
    "tf2compat.image.geometry._crop": "tf.image.crop_to_bounding_box",
    "tf2compat.image.geometry._crop_or_pad": "tf.image.resize_with_crop_or_pad",
    "tf2compat.image.measures._patches": "tf.image.extract_patches",
    "tf2compat.image.measures._sobel": "tf.image.sobel_edges",
    "tf2compat.image.measures._ssim": "tf.image.ssim",
    "tf2compat.image.measures._variation": "tf.image.total_variation",
    "tf2compat.image.resizing._resize_with_pad": "tf.image.resize_with_pad",
    "tf2compat.linalg.diagonals._diag": "tf.linalg.diag",
    "tf2compat.linalg.diagonals._diag_part": "tf.linalg.diag_part",
    "tf2compat.linalg.norms._norm": "tf.compat.v1.norm",
    "tf2compat.linalg.products._einsum": "tf.einsum",
    "tf2compat.linalg.products._tensordot": "tf.tensordot",
    "tf2compat.math.bessel.bessel_j0": "tf.math.special.bessel_j0",
    "tf2compat.math.bessel.bessel_j1": "tf.math.special.bessel_j1",
    "tf2compat.math.bessel.bessel_k0": "tf.math.special.bessel_k0",
    "tf2compat.math.bessel.bessel_k0e": "tf.math.special.bessel_k0e",
    "tf2compat.math.bessel.bessel_k1": "tf.math.special.bessel_k1",
    "tf2compat.math.bessel.bessel_k1e": "tf.math.special.bessel_k1e",
    "tf2compat.math.bessel.bessel_y0": "tf.math.special.bessel_y0",
    "tf2compat.math.bessel.bessel_y1": "tf.math.special.bessel_y1",
    "tf2compat.math.binary._div_no_nan": "tf.math.divide_no_nan",
    "tf2compat.math.counting._confusion": "tf.math.confusion_matrix",
    "tf2compat.math.elementwise.softsign": "tf.nn.softsign",
    "tf2compat.math.softmaxes.log_softmax": "tf.nn.log_softmax",
    "tf2compat.math.softmaxes.softmax": "tf.nn.softmax",
    "tf2compat.math.special.dawsn": "tf.math.special.dawsn",
    "tf2compat.math.special.expint": "tf.math.special.expint",
    "tf2compat.math.special.fresnel_cos": "tf.math.special.fresnel_cos",
    "tf2compat.math.special.fresnel_sin": "tf.math.special.fresnel_sin",
    "tf2compat.math.special.spence": "tf.math.special.spence",
    "tf2compat.nn.activations.softplus": "tf.math.softplus",
    "tf2compat.nn.convolution._conv1d": "tf.compat.v1.nn.conv1d",
    "tf2compat.nn.dropping.dropped": "tf.nn.dropout",
    "tf2compat.nn.embedding.gathered": "tf.compat.v1.nn.embedding_lookup",
    "tf2compat.nn.losses._sigmoid_cross_entropy": "tf.compat.v1.nn.sigmoid_cross_entropy_with_logits",
    "tf2compat.nn.losses._softmax_cross_entropy": "tf.compat.v1.nn.softmax_cross_entropy_with_logits_v2",
    "tf2compat.nn.losses._sparse_cross_entropy": "tf.compat.v1.nn.sparse_softmax_cross_entropy_with_logits",
    "tf2compat.nn.normalization._zero_fraction": "tf.math.zero_fraction",
    "tf2compat.quantization._fake_args": "tf.quantization.fake_quant_with_min_max_args",
    "tf2compat.random.stateful.standard_normal": "tf.random.normal",
    "tf2compat.random.stateful.standard_uniform": "tf.random.uniform",
}

#: functions by the names that version 1 has for them
_OLDER = {"compat.v1.floor_div": "math.floordiv", "__operators__.add": "math.add", "__operators__.eq": "math.equal",
          "compat.v1.nn.softmax_cross_entropy_with_logits_v2": "nn.softmax_cross_entropy_with_logits", "__operators__.ne": "math.not_equal", "__operators__.getitem": "_top.indexing.getitem"}  # fmt: skip
_GETITEM = _OLDER["__operators__.getitem"]

#: where the functions are that a config may name, and what some of them are called that do more than compute
_SPACES = (
    "audio.", "bitwise.", "debugging.assert", "debugging.check", "dtypes.", "experimental.numpy.", "image.", "io.decode_", "io.encode_",
    "io.parse_", "io.serialize_", "keras.activations.", "keras.backend.", "keras.losses.", "keras.metrics.", "linalg.", "math.", "nn.",
    "quantization.", "ragged.", "random.", "sets.", "signal.", "sparse.", "strings.",
)  # fmt: skip
_DOES = re.compile(r"\.(set_|clear_|reset_|manual_|batch_set|enable|disable|experimental_(enable|disable)|function$)")
_NOT_OPS = frozenset(("py_function", "numpy_function", "load_library", "load_op_library", "import_graph_def", "function", "device"))

_OWN = "tf2compat>"


def function_of(path: str) -> Any:
    """The function of a path of a config such as `nn.relu`; ValueError for what is no public function."""
    import tf2compat

    if path.startswith(_OWN):
        return _own(path[len(_OWN) :])
    given = path
    path = _OLDER.get(path, path).removeprefix("compat.v1.")
    if path != _GETITEM and not _harmless(path):
        raise ValueError(f"Unknown op in a model's config: {given!r}")
    found: Any = tf2compat
    for part in path.split("."):
        found = getattr(found, part, None)
        if found is None:
            raise ValueError(f"Unknown op in a model's config: {given!r}")
    return found


def _harmless(path: str) -> bool:
    """Whether a path of a config, which may come from anywhere, is a public function that computes and does nothing else."""
    from tf2compat._names import table

    known = table().get(f"tf.{path}")
    if known is None or known.kind != "function" or _DOES.search(path):
        return False
    return path.startswith(_SPACES) if "." in path else path not in _NOT_OPS


def _own(key: str) -> Any:
    """An op by its place in this package."""
    from tf2compat._engine.op import OPS

    module = key.rpartition(".")[0]
    if key not in OPS and module.startswith("tf2compat.") and "__" not in module:
        try:
            importlib.import_module(module)
        except ImportError:
            pass
    if key not in OPS or OPS[key].stateful and "stream" not in OPS[key].params:  # what only computes
        raise ValueError(f"Unknown op in a model's config: {key!r}")
    return OPS[key].public


@functools.cache
def path_of(symbol: str, op: Any) -> str:
    """The path under which a config finds an op, or a public function with the op's arguments."""
    try:
        public = function_of(symbol[3:])
    except (ValueError, AttributeError):
        return _OWN + op.key
    if getattr(public, "op", None) is op:
        return symbol[3:]
    try:
        takes = inspect.signature(public).parameters
    except (TypeError, ValueError):
        return _OWN + op.key
    named = {p for p, q in takes.items() if q.kind is q.POSITIONAL_OR_KEYWORD}
    return symbol[3:] if named.issuperset(op.params) else _OWN + op.key
