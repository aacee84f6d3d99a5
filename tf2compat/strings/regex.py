"""Regular expressions with RE2's syntax and meaning (google-re2)."""

from __future__ import annotations

import functools
from typing import Any

import torch

from .._engine.dtypes import string
from .._engine.op import invalid, op, tensor
from ._plain_patterns import substitution
from .elementwise import each, numbers


@functools.lru_cache(512)
def compiled(pattern: bytes, name: str) -> Any:
    """A compiled RE2 pattern; InvalidArgumentError for a bad one."""
    try:
        import re2
    except ImportError:
        raise ImportError("regular expressions need the google-re2 package: pip install 'tf2compat[strings]'") from None
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        why = error.args[0] if error.args else error
        why = why.decode(errors="replace") if isinstance(why, bytes) else why
        raise invalid(f"Invalid pattern: {pattern.decode(errors='replace')}, error: {why} [Op:{name}] name: ") from None


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    if hasattr(value, "numpy"):
        value = value.numpy()
    elif hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str):
        return value.encode()
    if not isinstance(value, bytes):
        raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype string")
    return value


@op("RegexReplace", input=tensor(string))
def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: str | None = None) -> Any:  # noqa: A002
    r"""Matches of `pattern` replaced by `rewrite`, where `\1` is a group and `\0` all (`tf.strings.regex_replace`)."""
    expression = compiled(_bytes(pattern), "RegexReplace")
    new = _bytes(rewrite)
    _check_rewrite(new, expression.groups)
    template = new.replace(b"\\0", b"\\g<0>")
    count = 0 if replace_global else 1
    quick = substitution(_bytes(pattern), template, count)
    if quick is None:
        return each(lambda s: expression.sub(template, s, count=count), input)
    sub, fit = quick
    return each(lambda s: sub(s) if fit(s) else expression.sub(template, s, count=count), input)


def _check_rewrite(rewrite: bytes, groups: int) -> None:
    at = 0
    while at < len(rewrite):
        if rewrite[at : at + 1] == b"\\":
            follow = rewrite[at + 1 : at + 2]
            if follow.isdigit():
                if int(follow) > groups:
                    raise invalid(
                        f"Invalid rewrite schema, requested {int(follow)} groups, but the regexp only has {groups} parenthesized "
                        "subexpressions. [Op:RegexReplace] name: "
                    )
            elif follow != b"\\":
                raise invalid("Rewrite schema error: '\\' must be followed by a digit or '\\'. [Op:RegexReplace] name: ")
            at += 1
        at += 1


@op("RegexFullMatch", input=tensor(string))
def regex_full_match(input: Any, pattern: Any, name: str | None = None) -> Any:  # noqa: A002
    """Whether the whole of each string matches (`tf.strings.regex_full_match`)."""
    expression = compiled(_bytes(pattern), "RegexFullMatch")
    return numbers(lambda s: expression.fullmatch(s) is not None, input, torch.bool)


regex_replace.strings(regex_replace.op.fn)
regex_full_match.strings(regex_full_match.op.fn)
