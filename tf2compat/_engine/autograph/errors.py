"""Exceptions of traced user code, told with the user's own lines as TensorFlow tells them."""

from __future__ import annotations

import linecache
import re
from typing import Any

from . import rules
from .context import AutoGraphError, StagingError

__all__ = ["BLOCKS", "in_user_code"]

#: functions that blocks of converted code become
BLOCKS = re.compile(r"(if_body|else_body|loop_body|loop_test|extra_test|get_state|set_state)(_\d+)?$")


def _frames(error: BaseException) -> list[tuple[str, int, str]]:
    """(file, line, function) of the user's frames, outermost first; blocks of a function count as the function."""
    out: list[tuple[str, int, str]] = []
    tb = error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        module = tb.tb_frame.f_globals.get("__name__", "").partition(".")[0]
        if module not in rules._LIBRARIES and not rules._installed(code.co_filename):
            if BLOCKS.match(code.co_name) and out and out[-1][0] == code.co_filename:
                out[-1] = (code.co_filename, tb.tb_lineno, out[-1][2])
            elif code.co_name == "<lambda>" and out and out[-1][:2] == (code.co_filename, tb.tb_lineno):
                pass  # an operand of `and`, or a branch of a conditional expression
            else:
                out.append((code.co_filename, tb.tb_lineno, code.co_name))
        tb = tb.tb_next
    return out


#: classes whose message can be changed; errors of other classes are told as a StagingError
_KEPT = frozenset((
    AssertionError, AttributeError, NameError, NotImplementedError, RuntimeError, StopIteration, TypeError, UnboundLocalError, ValueError,
))  # fmt: skip


def _staging_error(error: Exception) -> Exception:
    """A StagingError that is an error of the class of `error` too, so that who expects that one catches it."""
    kind = type(error)
    try:
        both = type("StagingError", (StagingError, kind), {"__module__": StagingError.__module__, "__str__": Exception.__str__})
        made = both.__new__(both)
        made.__dict__.update(error.__dict__)
    except TypeError:
        made = StagingError()
    return made


class _KeyError(KeyError):
    """A KeyError whose message has several lines, which KeyError itself would show escaped."""

    _lines: str | None = None

    def __str__(self) -> str:
        return KeyError.__str__(self) if self._lines is None else self._lines


_KeyError.__name__ = _KeyError.__qualname__ = "KeyError"
_KeyError.__module__ = "builtins"


def in_user_code(error: Exception, skip: int = 0) -> Exception:
    """`error`, or what stands for it, with the user's lines in its message."""
    from ... import errors

    if getattr(error, "_ag_told", False):
        return error
    if type(error) is KeyError and len(error.args) == 1:
        error = _KeyError(*error.args).with_traceback(error.__traceback__)
    is_op = isinstance(error, errors.OpError)
    own = is_op or type(error) in _KEPT or isinstance(error, (_KeyError, AutoGraphError, errors.InaccessibleTensorError, errors.OperatorNotAllowedInGraphError))
    if own and not is_op and not isinstance(error, _KeyError) and not (len(error.args) == 1 and isinstance(error.args[0], str)):
        return error
    frames = _frames(error)[skip:]
    if not frames:
        return error
    lines = ["in user code:", ""]
    for filename, line, name in frames:
        lines.append(f'    File "{filename}", line {line}, in {"None" if name == "<lambda>" else name}  *')
        lines.append(f"        {linecache.getline(filename, line).strip()}")
    text = error._message if is_op else str(error)  # type: ignore[attr-defined]
    lines += ["", *[f"    {part}" for part in f"{type(error).__name__}: {text}".splitlines()], ""]
    message = "\n".join(lines)
    if not own:
        error = _staging_error(error)
    set_message(error, message)
    return error


def set_message(error: Any, message: str) -> None:
    try:
        error._ag_told = True
    except AttributeError:
        return
    if isinstance(error, _KeyError):
        error._lines = message
    elif hasattr(error, "_message"):
        error._message = message
    else:
        error.args = (message,)
