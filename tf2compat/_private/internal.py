"""`tf.__internal__`: names that TensorFlow keeps for Keras and for TensorFlow Probability, and that other libraries use."""

from __future__ import annotations

from types import SimpleNamespace

from tf2compat._engine.graph import Graph as FuncGraph
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.trackable import AutoTrackable, Trackable, no_automatic_dependency_tracking
from tf2compat._ports.structures import decode_proto, encode_structure
from tf2compat._private import dispatching, helpers, kinds, monitoring, nest
from tf2compat._private.kinds import EagerTensor
from tf2compat._private.type_specs import CompositeTensor
from tf2compat.data import Dataset

__all__ = [
    "CompositeTensor", "EagerTensor", "FuncGraph", "SymbolicTensor", "decorator", "dispatch", "distribute", "eager_context", "get_name_scope",
    "is_tfrt_enabled", "monitoring", "nest", "ops", "saved_model", "smart_cond", "tf2", "tracking", "train", "types",
]  # fmt: skip

decorator = SimpleNamespace(make_decorator=helpers.make_decorator, unwrap=helpers.unwrap)
dispatch = SimpleNamespace(add_dispatch_support=dispatching.add_dispatch_support, OpDispatcher=dispatching.OpDispatcher)
distribute = SimpleNamespace(
    interim=SimpleNamespace(maybe_merge_call=helpers.maybe_merge_call), strategy_supports_no_merge_call=helpers.always
)
eager_context = SimpleNamespace(eager_mode=helpers.eager_mode)
get_name_scope = helpers.get_name_scope
is_tfrt_enabled = helpers.never
ops = SimpleNamespace(broadcast_weights=helpers.broadcast_weights, is_resource_variable=helpers.is_variable)
saved_model = SimpleNamespace(decode_proto=decode_proto, encode_structure=encode_structure)
smart_cond = SimpleNamespace(smart_cond=helpers.smart_cond, smart_constant_value=helpers.constant_value)
tf2 = SimpleNamespace(enabled=helpers.always)
tracking = SimpleNamespace(
    AutoTrackable=AutoTrackable, Trackable=Trackable, no_automatic_dependency_tracking=no_automatic_dependency_tracking
)
train = SimpleNamespace(assign_moving_average=helpers.assign_moving_average)
types = SimpleNamespace(Tensor=kinds.Tensor, data=SimpleNamespace(Dataset=Dataset))
