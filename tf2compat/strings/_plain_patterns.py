"""Regular expressions that Python's `re` reads as RE2 does, and cannot be made slow by.

`google-re2` calls Python for each match; `re` takes a thirtieth of the time. The two mean the same by patterns of literals, classes, groups and
alternatives on ASCII text, where nothing matches the empty string and neither "$" nor anything that repeats a group occurs. With
one unbounded repetition `re` takes at most the square of the text's length, so that long texts stay with RE2.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

__all__ = ["substitution"]

_PUNCTUATION = rb"!-/:-@\[-`{-~"
_ESCAPED = rb"\\[" + _PUNCTUATION + rb"dDwWsSnrtf]"
_LITERAL = rb"[A-Za-z0-9 \n\t_,;:!\"#%&'/<=>@`~-]"
#: without "[" and what `re` may come to read as an operation on sets
_CLASS = rb"\[\^?(?:(?!--|&&|\|\||~~)[^\\\[\]]|" + _ESCAPED + rb")+\]"
_UNBOUNDED = rb"[*+]\??|\{\d+,\}\??"
_BOUNDED = rb"\{\d+(?:,\d+)?\}\??|\??\??"
_TOKEN = re.compile(
    rb"(?P<atom>(?:" + _LITERAL + rb"|" + _ESCAPED + rb"|" + _CLASS + rb"|\.))(?:(?P<unbounded>" + _UNBOUNDED + rb")|" + _BOUNDED + rb")"
    rb"|(?P<other>\((?:\?:)?|\)(?![*+?{])|\|)"
)  # fmt: skip
#: characters of a text that may take a repetition the square of that many steps
_LONG = 4096


def _plain(pattern: bytes) -> bool | None:
    """Whether a pattern repeats something without bound; None for one that is not of this kind."""
    at, repeated = 1 if pattern[:1] == b"^" else 0, False
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None or token.end() == at or (token["unbounded"] and repeated):
            return None
        repeated = repeated or bool(token["unbounded"])
        at = token.end()
    return repeated


@functools.lru_cache(512)
def substitution(pattern: bytes, template: bytes, count: int) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bool]] | None:
    """Substitution by a pattern that RE2 has accepted, and whether a text is one for it; None for patterns that only RE2 may read."""
    repeated = _plain(pattern)
    if repeated is None:
        return None
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError):
        return None
    if found.search(b"") is not None:
        return None
    spaces = re.search(rb"\\[sS]", pattern) is not None  # of which RE2 has no vertical tab

    def fit(text: bytes) -> bool:
        return text.isascii() and not (repeated and len(text) > _LONG) and not (spaces and b"\v" in text)

    return functools.partial(found.sub, template, count=count), fit
