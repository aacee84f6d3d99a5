"""`tf.config.optimizer`: graph optimisation."""

from __future__ import annotations

from typing import Any

from .._engine import state
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
#: what `debug_stripper` leaves out
_DEBUGGING = frozenset(("Assert", "AssertBinary", "AssertRank", "CheckNumerics", "PrintV2"))


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
    return {**_options, **{name: _options.get(name, False) for name in ("disable_model_pruning", "disable_meta_optimizer")}}


def set_experimental_options(options: dict[str, Any]) -> None:
    """Options of TensorFlow's grappler (`tf.config.optimizer.set_experimental_options`).

    With `debug_stripper`, functions that are traced from then on leave out assertions, numeric checks and printing; without
    `constant_folding` they compute what hangs on constants alone in every call. The other switches of grappler do not change results, and
    torch.compile has none like them. Raises ValueError for an unknown name, and for options about where
    ops run.
    """
    for name, value in options.items():
        if name not in _KNOWN:
            raise ValueError(f"Unknown optimizer option: {name}")
        if name in ("auto_parallel", "scoped_allocator_optimization", "pin_to_host_optimization") and value:
            raise ValueError(f"tf2compat does not support the optimizer option {name}={value!r}")
    _options.update(options)
    state.stripped = _DEBUGGING if _options.get("debug_stripper") and not _options.get("disable_meta_optimizer") else frozenset()
    state.folding = _options.get("constant_folding", True) and not _options.get("disable_meta_optimizer")


__getattr__ = module_getattr("tf.config.optimizer")
