"""`tf.summary.experimental`: the default step, scopes, raw messages."""

from tf2compat._names import module_getattr
from tf2compat.summary._writing import get_step, set_step, summary_scope, write_raw_pb

__all__ = ["get_step", "set_step", "summary_scope", "write_raw_pb"]
__getattr__ = module_getattr("tf.summary.experimental")
