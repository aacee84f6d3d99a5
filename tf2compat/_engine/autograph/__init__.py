"""AutoGraph: Python functions rewritten so that their control flow can be recorded.

`source` finds a function's syntax tree, `jumps` removes break, continue and return from it, `names` finds what is live,
`emit` turns statements into calls of `operators`, `convert` compiles and caches, `calls` converts what is called.
"""

from .calls import converted_call, function_for
from .context import ConversionError, NoSource, Unsupported, enabled, set_verbosity, switched
from .convert import artifact, convert, is_artifact, to_source
from .rules import request
from .undefined import Undefined, UndefinedReturnValue

__all__ = [
    "ConversionError", "NoSource", "Undefined", "UndefinedReturnValue", "Unsupported", "artifact", "convert", "converted_call",
    "enabled", "function_for", "is_artifact", "request", "set_verbosity", "switched", "to_source",
]  # fmt: skip
