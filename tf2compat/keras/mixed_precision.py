"""`tf.keras.mixed_precision`: dtype policies and loss scaling."""

from __future__ import annotations

import logging
from typing import Any

from tf2compat._engine import dtypes

from ._base.config import settings

_global: Policy | None = None
_log = logging.getLogger("tensorflow")
_checked = False
_LEAST = (7, 0)  # the compute capability from which on NVIDIA's GPUs are quick with float16


def _check_devices(name: str) -> None:
    """Say once in a process whether its devices are quick with the policy mixed_float16."""
    global _checked
    if _checked:
        return
    _checked = True
    if name != "mixed_float16":
        return
    from tf2compat import config

    quick, slow = [], []
    for gpu in config.list_physical_devices("GPU"):
        details = config.experimental.get_device_details(gpu)
        capability = details.get("compute_capability")
        text = f"compute capability {capability[0]}.{capability[1]}" if capability else "no compute capability (probably not an Nvidia GPU)"
        (quick if capability and tuple(capability) >= _LEAST else slow).append(f"{details.get('device_name', 'Unknown GPU')}, {text}")
    head = "Mixed precision compatibility check (mixed_float16): "
    need = "compute capability of at least 7.0"
    if quick and not slow:
        _log.info("%sOK\nYour GPUs will likely run quickly with dtype policy mixed_float16 as they have %s: %s", head, need, "; ".join(quick))
        return
    why = "this machine does not have a GPU" if not slow else "of these GPUs:\n  " + "\n  ".join(quick + slow)
    _log.warning(
        "%sWARNING\nThe dtype policy mixed_float16 may run slowly because %s. Only Nvidia GPUs with %s run quickly with mixed_float16.\n"
        "If you will use compatible GPU(s) not attached to this host, e.g. by running a multi-worker model, you can ignore this warning. "
        "This message will only be logged once", head, why, need,
    )  # fmt: skip


def _removed(name: str) -> str:
    """What to say of a policy of TensorFlow's first years."""
    instead = {"infer": "the 'mixed_float16' or 'mixed_bfloat16' policy", "float16_with": "the 'mixed_float16' policy",
               "bfloat16_with": "the 'mixed_bfloat16' policy"}.get(name.removesuffix("_float32_vars"))  # fmt: skip
    advice = f" Please use {instead} instead." if instead else ""
    return f"Policies ending in '_float32_vars' have been removed from TensorFlow.{advice} Got policy name: '{name}'"


class Policy:
    """The dtypes of a layer's computations and weights (`tf.keras.mixed_precision.Policy`).

    `name` is a dtype, or `mixed_float16` / `mixed_bfloat16`: computations in 16 bits, weights in float32.
    """

    def __init__(self, name: str) -> None:
        if isinstance(name, dtypes.DType):
            raise TypeError(f"'name' must be a string, not a DType. Instead, pass DType.name. Received: name={name.name}")
        if not isinstance(name, str):
            raise TypeError(f"'name' must be a string, but got: {name}")
        self._name = name
        if name in ("mixed_float16", "mixed_bfloat16"):
            self._compute_dtype: Any = name[len("mixed_") :]
            self._variable_dtype: Any = "float32"
            _check_devices(name)
        elif name == "_infer":
            self._compute_dtype = self._variable_dtype = None
        else:
            try:
                dtype = dtypes.as_dtype(name).name
            except TypeError:
                if name.endswith("_float32_vars"):
                    raise ValueError(_removed(name)) from None
                raise ValueError(
                    f"Cannot convert value {name} to a mixed precision Policy. Valid policies include 'mixed_float16', "
                    "'mixed_bfloat16', and the name of any dtype such as 'float32'."
                ) from None
            self._compute_dtype = self._variable_dtype = dtype

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> Any:
        """Name of the dtype that layers compute in."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> Any:
        """Name of the dtype of the layers' weights."""
        return self._variable_dtype

    def config_value(self) -> Any:
        """How a layer's config writes this policy."""
        if self._name == "_infer":
            return None
        if self._compute_dtype == self._variable_dtype:
            return self._name
        return {"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": self._name}, "registered_name": None}

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Policy:
        return cls(**{k: v for k, v in config.items() if k != "loss_scale"})

    def __repr__(self) -> str:
        return f'<Policy "{self._name}">'

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Policy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)


def global_policy() -> Policy:
    """The policy of layers that are given no dtype."""
    return _global if _global is not None else policy_of(settings.floatx)


def set_global_policy(policy: Any) -> None:
    """Set the policy of layers made from now on; None goes back to `floatx`."""
    global _global
    policy = None if policy is None else policy if isinstance(policy, Policy) else Policy(policy)
    if policy is not None and policy.compute_dtype is not None and not dtypes.as_dtype(policy.compute_dtype).is_floating:
        raise ValueError(
            "set_global_policy can only be used to set the global policy to floating-point policies, such as \"float32\" and "
            f'"mixed_float16", but got policy: {policy.name}'
        )
    _global = policy


_known: dict[str, Policy] = {}


def policy_of(value: Any) -> Policy:
    """The Policy that a layer's `dtype` argument means."""
    if value is None:
        return global_policy()
    if isinstance(value, Policy):
        return value
    if isinstance(value, dict):
        return Policy(value["config"]["name"])
    name = value if isinstance(value, str) and value.startswith(("mixed_", "_")) else dtypes.as_dtype(value).name
    found = _known.get(name)
    if found is None:
        found = _known[name] = Policy(name)
    return found


def __getattr__(name: str) -> Any:
    if name == "LossScaleOptimizer":
        from .optimizers.loss_scale import LossScaleOptimizer

        return LossScaleOptimizer
    raise AttributeError(f"module 'tf.keras.mixed_precision' has no attribute '{name}'")
