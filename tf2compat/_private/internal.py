"""`tf.__internal__`: names that TensorFlow keeps for Keras and for TensorFlow Probability, and that other libraries use."""

from __future__ import annotations

import types

from tf2compat._engine.graph import Graph as FuncGraph
from tf2compat._engine.structured_values import decode, encode_structure
from tf2compat._engine.symbolic import SymbolicTensor
from tf2compat._engine.trackable import AutoTrackable, Trackable, no_automatic_dependency_tracking
from tf2compat._private import dispatching, helpers, nest
from tf2compat._private.type_specs import CompositeTensor

__all__ = ["CompositeTensor", "FuncGraph", "SymbolicTensor", "dispatch", "nest", "saved_model", "smart_cond", "tf2", "tracking", "train"]

dispatch = types.SimpleNamespace(add_dispatch_support=dispatching.add_dispatch_support, OpDispatcher=dispatching.OpDispatcher)
saved_model = types.SimpleNamespace(decode_proto=decode, encode_structure=encode_structure)
smart_cond = types.SimpleNamespace(smart_cond=helpers.smart_cond, smart_constant_value=helpers.constant_value)
tf2 = types.SimpleNamespace(enabled=helpers.always)
tracking = types.SimpleNamespace(
    AutoTrackable=AutoTrackable, Trackable=Trackable, no_automatic_dependency_tracking=no_automatic_dependency_tracking
)
train = types.SimpleNamespace(assign_moving_average=helpers.assign_moving_average)
