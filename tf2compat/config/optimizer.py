"""`tf.config.optimizer`: graph optimisation."""

from __future__ import annotations

from typing import Any

from .._names import module_getattr

#: "" (compile what is hot), "autoclustering" (compile everything at once); read by tf.function
_jit: str = ""
_KNOWN = frozenset((
    "layout_optimizer", "constant_folding", "shape_optimization", "remapping", "arithmetic_optimization", "dependency_optimization",
    "loop_optimization", "function_optimization", "debug_stripper", "disable_model_pruning", "scoped_allocator_optimization",
    "pin_to_host_optimization", "implementation_selector", "auto_mixed_precision", "disable_meta_optimizer", "min_graph_nodes",
    "auto_parallel",
))  # fmt: skip
_options: dict[str, Any] = {}


def get_jit() -> str:
    return _jit


def set_jit(enabled: Any) -> None:
    """Compile functions on their first call ("autoclustering" or True) instead of when they are hot."""
    global _jit
    if enabled in (True, "autoclustering"):
        _jit = "autoclustering"
    elif enabled in (False, None, ""):
        _jit = ""
    else:
        raise ValueError(f"Only 'autoclustering' is supported, got {enabled!r}")


def get_experimental_options() -> dict[str, Any]:
    return dict(_options)


def set_experimental_options(options: dict[str, Any]) -> None:
    """Options of TensorFlow's grappler. torch.compile has no such switches: known names are refused unless they change nothing.

    Raises ValueError for an unknown name; `disable_meta_optimizer` and False values are accepted.
    """
    for name, value in options.items():
        if name not in _KNOWN:
            raise ValueError(f"Unknown optimizer option: {name}")
        if name in ("auto_parallel", "scoped_allocator_optimization", "pin_to_host_optimization", "debug_stripper") and value:
            raise ValueError(f"tf2compat does not support the optimizer option {name}={value!r}")
    _options.update(options)


__getattr__ = module_getattr("tf.config.optimizer")
