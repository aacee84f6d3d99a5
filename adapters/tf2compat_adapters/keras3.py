"""Files of Keras 3: their descriptions of models in the words of Keras 2, whose layers these are.

Keras 3 describes dtypes as policies, input shapes as `batch_shape`, and calls as arguments with tensors in them; it has options that Keras 2
lacks. An option that is set to what Keras 2 does anyway is dropped; any other is an error that names it.
"""

from __future__ import annotations

import inspect
from typing import Any

from tf2compat.keras._base import serialization

# Options that Keras 2 does not have, with the values at which they change nothing (`...`: any).
_NEUTRAL: dict[str, Any] = {
    "quantization_config": (None,), "lora_rank": (None,), "lora_alpha": (None,), "renorm": (False,), "renorm_clipping": (None,),
    "renorm_momentum": ..., "synchronized": (False,), "seed": ..., "use_cudnn": ..., "zero_output_for_mask": ..., "use_gate": (False,),
    "sliding_window": (None,), "flash_attention": ..., "rms_scaling": (False,), "optional": (False,), "autocast": (True,),
    "input_axes": ..., "output_axes": ..., "loss_scale_factor": (None,), "gradient_accumulation_steps": (None,), "data_format": ...,
    "build_input_shape": ..., "gate_activation": ..., "pad_to_aspect_ratio": (False,), "antialias": (False,), "weights": (None,),
    "auto_scale_loss": ..., "use_rms_norm": (False,), "dtype": (None,),
}  # fmt: skip
_OPS = {"Add": "math.add", "Subtract": "math.subtract", "Multiply": "math.multiply", "Divide": "math.truediv", "TrueDivide": "math.truediv",
        "Power": "math.pow", "Maximum": "math.maximum", "Minimum": "math.minimum"}  # fmt: skip
_COMPILE = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile")
_TENSOR = "__keras_tensor__"


def written_by(version: Any) -> bool:
    """Whether a file's `keras_version` is Keras 3's, or a later one's."""
    major = str(version or "").split(".")[0]
    return major.isdecimal() and int(major) >= 3


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value and "config" in value


def model_config(config: Any) -> Any:
    """The description of a model, as Keras 2 would have written it. Raises ValueError for what Keras 2 cannot do."""
    if not _is_object(config):
        return config
    out = _object(config)
    compiled = config.get("compile_config")
    if isinstance(compiled, dict):
        out["compile_config"] = {key: _value(compiled.get(key)) for key in _COMPILE if key in compiled}
        out["compile_config"].pop("jit_compile", None)
    return out


def training_config(config: Any) -> Any:
    """What an HDF5 file says of compiling, in Keras 2's form."""
    if not isinstance(config, dict):
        return config
    out = {key: _value(item) for key, item in config.items()}
    optimizer = out.get("optimizer_config")
    if isinstance(optimizer, dict) and _is_object(optimizer):
        out["optimizer_config"] = _object(optimizer)
    return out


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [_value(item) for item in value]
    if not isinstance(value, dict):
        return value
    if not _is_object(value):
        return {key: _value(item) for key, item in value.items()}
    if value["class_name"] in ("DTypePolicy", "FloatDTypePolicy"):
        return value["config"]["name"]
    if value["class_name"].endswith("DTypePolicy"):
        raise ValueError(f"The dtype policy {value['class_name']} of Keras 3 (quantization) is not supported.")
    if value["class_name"] == "SeedGenerator":
        return value["config"].get("seed")
    return _object(value)


def _object(value: dict[str, Any]) -> dict[str, Any]:
    """A layer, initializer, optimizer, …"""
    name, config = str(value["class_name"]), value["config"]
    if name.startswith("__") or name == "function" or not isinstance(config, dict):
        return value
    out: dict[str, Any] = {"module": _module(value.get("module")), "class_name": name, "registered_name": value.get("registered_name")}
    if out["registered_name"] and str(value.get("module")).startswith("keras"):
        out["registered_name"] = None  # Keras' own, whatever package of Keras it is from
    if name in ("Functional", "Model") and "input_layers" in config:
        out["class_name"], out["config"] = "Functional", _functional(config)
        return out
    if name == "Sequential":
        kept = {key: _value(item) for key, item in config.items() if key in ("name", "layers", "trainable")}
        out["config"] = kept
        kept.pop("trainable", None)
        return out
    if name == "InputLayer":
        out["config"] = {"batch_input_shape": config.get("batch_shape"), "dtype": _value(config.get("dtype")), "name": config.get("name"),
                         "sparse": bool(config.get("sparse")), "ragged": bool(config.get("ragged"))}  # fmt: skip
        return out
    out["config"] = _options(name, value.get("module"), {key: _value(item) for key, item in config.items()})
    build = value.get("build_config")
    if isinstance(build, dict) and set(build) == {"input_shape"}:
        out["build_config"] = build
    return out


def _module(module: Any) -> Any:
    """The public module of a private one: `keras.src.optimizers.adam` is `keras.optimizers`."""
    parts = str(module).split(".") if module else []
    if parts[:2] == ["keras", "src"]:
        home = "optimizers" if "optimizers" in parts else parts[2] if len(parts) > 2 else ""
        return f"keras.{home}" if home else "keras"
    return module


def _accepted(cls: Any) -> set[str] | None:
    """The options that a class knows, or None for one that takes any."""
    names: set[str] = set()
    for base in inspect.getmro(cls):
        if "__init__" in vars(base):
            names |= set(inspect.signature(base.__init__).parameters)
    return names | {"name", "trainable", "dtype", "batch_input_shape", "activity_regularizer"}


def _options(name: str, module: Any, config: dict[str, Any]) -> dict[str, Any]:
    cls = serialization.get_registered_object(name) or serialization.find_class(name, _module(module))
    if cls is None or not isinstance(cls, type):
        return config
    known = _accepted(cls)
    kept = {}
    for key, value in config.items():
        if known is None or key in known:
            kept[key] = value
        elif key in _NEUTRAL and (_NEUTRAL[key] is ... or value in _NEUTRAL[key]):
            continue
        elif not str(cls.__module__).startswith("tf2compat."):
            kept[key] = value  # the user's own class knows best
        else:
            raise ValueError(f"The option {key}={value!r} of {name} is Keras 3's and is not supported.")
    return kept


# --- functional models -----------------------------------------------------------------------------------------------
def _place(tensor: dict[str, Any]) -> list[Any]:
    return list(tensor["config"]["keras_history"])


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == _TENSOR


def _argument(value: Any) -> Any:
    """An argument of a call: tensors as [layer, node, tensor]."""
    if _is_tensor(value):
        return _place(value)
    if isinstance(value, list):
        return [_argument(item) for item in value]
    if isinstance(value, dict) and not _is_object(value):
        return {key: _argument(item) for key, item in value.items()}
    return _value(value)


def _ends(value: Any) -> Any:
    """The inputs or outputs of a model: always a list, or a dict, of places."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [value]
    return value


def _parameters(entry: dict[str, Any]) -> list[str]:
    cls = serialization.get_registered_object(entry["class_name"]) or serialization.find_class(entry["class_name"], _module(entry.get("module")))
    call = getattr(cls, "call", None)
    return [name for name in inspect.signature(call).parameters if name != "self"] if call is not None else ["inputs"]


def _functional(config: dict[str, Any]) -> dict[str, Any]:
    layers = [_node_layer(entry) for entry in config["layers"]]
    return {"name": config.get("name"), "trainable": config.get("trainable", True), "layers": layers,
            "input_layers": _ends(config["input_layers"]), "output_layers": _ends(config["output_layers"])}  # fmt: skip


def _node_layer(entry: dict[str, Any]) -> dict[str, Any]:
    module = str(entry.get("module") or "")
    nodes = entry.get("inbound_nodes") or []
    # HDF5 files do not name modules: the layers of these names are called with one list, the operators with two arguments.
    paired = entry["class_name"] in _OPS and any(len(node.get("args", ())) == 2 for node in nodes)
    if paired or module.startswith(("keras.src.ops", "keras.ops")):
        return _operation(entry, nodes)
    out = _object(entry)
    out["name"] = entry.get("name") or entry["config"].get("name")
    out["inbound_nodes"] = [_call(entry, node) for node in nodes]
    return out


def _call(entry: dict[str, Any], node: dict[str, Any]) -> Any:
    arguments = list(node.get("args", ()))
    kwargs = {key: _argument(item) for key, item in (node.get("kwargs") or {}).items() if item is not None}
    names = _parameters(entry)
    if not arguments:
        arguments = [node["kwargs"][names[0]]]
        kwargs.pop(names[0], None)
    for number, extra in enumerate(arguments[1:], 1):
        if extra is not None:
            kwargs[names[number] if number < len(names) else f"argument_{number}"] = _argument(extra)
    first = arguments[0]
    if _is_tensor(first):
        return [[*_place(first), kwargs]]
    if isinstance(first, dict) and not _is_object(first):
        return {key: [*_place(item), kwargs] for key, item in first.items()}
    if isinstance(first, list) and all(map(_is_tensor, first)):
        return [[*_place(item), kwargs] for item in first]
    raise ValueError(f"A call of the layer {entry.get('name')} in this Keras 3 model cannot be read.")


def _operation(entry: dict[str, Any], nodes: list[Any]) -> dict[str, Any]:
    """An operator between symbolic tensors, which Keras 2 has as a layer of a function."""
    function = _OPS.get(entry["class_name"])
    if function is None:
        raise ValueError(f"The operation {entry['class_name']} (keras.ops) of this Keras 3 model has no counterpart in Keras 2.")
    name = entry.get("name") or entry["config"].get("name")
    calls = []
    for node in nodes:
        a, b = node["args"]
        if _is_tensor(a):
            calls.append([*_place(a), {"y": _argument(b), "name": None}])
        else:
            calls.append(["_CONSTANT_VALUE", -1, a, {"y": _argument(b), "name": None}])
    return {"module": None, "class_name": "TFOpLambda", "registered_name": "TFOpLambda", "name": name,
            "config": {"name": name, "trainable": True, "dtype": "float32", "function": function}, "inbound_nodes": calls}  # fmt: skip
