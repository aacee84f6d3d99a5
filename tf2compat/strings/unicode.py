"""Unicode: code points, encodings, scripts."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import torch

from .._engine.dtypes import INTS, int32, int64, string
from .._engine.op import invalid, op, tensor
from .elementwise import each, vector
from .slicing import _strings, ragged_like

_ENCODINGS = {"UTF-8": "utf-8", "UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be", "UTF-16": "utf-16-be", "UTF-32": "utf-32-be"}


def _codec(name: str) -> str:
    found = _ENCODINGS.get(name.upper())
    if found is not None:
        return found
    import codecs

    try:
        return codecs.lookup(name).name
    except LookupError:
        raise invalid(f"Could not create converter for input encoding: {name} [Op:UnicodeTranscode] name: ") from None


def _pieces(s: bytes, codec: str, errors: str, replacement: str, control: bool, where: str) -> list[tuple[int, str | None, bytes]]:
    """(byte offset, character or None for a bad sequence, its bytes)."""
    out: list[tuple[int, str | None, bytes]] = []
    if codec == "utf-8":
        at = 0
        n = len(s)
        while at < n:
            first = s[at]
            size = 1 if first < 0x80 else 2 if first >> 5 == 6 else 3 if first >> 4 == 14 else 4 if first >> 3 == 30 else 0
            chunk = s[at : at + size] if size else b""
            try:
                char: str | None = chunk.decode("utf-8") if size else None
                taken = size
            except UnicodeDecodeError as error:
                char, taken = None, max(1, error.end - error.start)
            if char is None:
                taken = max(1, taken if size else 1)
            out.append((at, char, s[at : at + max(1, taken)]))
            at += max(1, taken)
    else:
        step = 4 if codec.startswith("utf-32") else 2 if codec.startswith("utf-16") else 1
        at = 0
        while at < len(s):
            take = step
            if step == 2 and at + 1 < len(s) and 0xD8 <= s[at] <= 0xDB:
                take = 4
            chunk = s[at : at + take]
            try:
                char = chunk.decode(codec)
            except UnicodeDecodeError:
                char = None
            out.append((at, char, chunk))
            at += take
    final = []
    for offset, char, raw in out:
        if char is None:
            if errors == "strict":
                raise invalid(f"Invalid formatting on input string [Op:{where}] name: ")
            if errors == "ignore":
                continue
            char = replacement
        elif control and unicodedata.category(char) == "Cc":
            char = replacement
        final.append((offset, char, raw))
    return final


def _mode(errors: str, name: str) -> None:
    if errors not in ("strict", "replace", "ignore"):
        raise invalid(f'Value for attr \'errors\' of "{errors}" is not in the list of allowed values: "strict", "replace", "ignore" [Op:{name}] name: ')


@op("UnicodeDecodeWithOffsets", multi=True, input=tensor(string))
def _decode(input: Any, encoding: str, errors: str, replacement: int, control: bool, split: bool) -> Any:  # noqa: A002
    """Flat characters (code points, or strings when `split`), offsets, row splits."""
    codec = _codec(encoding)
    _mode(errors, "UnicodeDecode")
    chars: list[Any] = []
    offsets: list[int] = []
    splits = [0]
    ascii_ = codec in ("utf-8", "ascii", "us-ascii") and not control
    for s in input.reshape(-1).tolist():
        if ascii_ and s.isascii():  # each byte is a character
            chars.extend([s[i : i + 1] for i in range(len(s))] if split else s)
            offsets.extend(range(len(s)))
            splits.append(len(chars))
            continue
        for offset, char, _ in _pieces(s, codec, errors, chr(replacement), control, "UnicodeDecode"):
            chars.append(char.encode(codec) if split else ord(char))  # type: ignore[union-attr, arg-type]
            offsets.append(offset)
        splits.append(len(chars))
    values: Any = vector(chars) if split else torch.tensor(chars, dtype=torch.int32)
    return values, torch.tensor(offsets, dtype=torch.int64), torch.tensor(splits, dtype=torch.int64)


_decode.infer(lambda input, encoding, errors, replacement, control, split: [(string if split else int32, (None,)), (int64, (None,)), (int64, (None,))])
_decode.strings(_decode.op.fn)


def _pair(value: Any, encoding: str, errors: str, replacement: Any, control: bool, split: bool) -> tuple[Any, Any]:
    value = _strings(value)
    kept: list[Any] = []

    def pieces(v: Any) -> Any:
        flat, offsets, splits = _decode(v, encoding, errors, int(replacement), control, split)
        kept.append((offsets, splits))
        return flat, splits

    chars = ragged_like(value, pieces)

    def again(v: Any) -> Any:
        return kept[-1]

    return chars, ragged_like(value, again)


def unicode_decode(
    input: Any,  # noqa: A002
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Code points of each string, int32 (`tf.strings.unicode_decode`): a vector for a scalar, else ragged."""
    return _pair(input, input_encoding, errors, replacement_char, replace_control_characters, False)[0]


def unicode_decode_with_offsets(
    input: Any,  # noqa: A002
    input_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Code points and the byte offset of each (`tf.strings.unicode_decode_with_offsets`)."""
    return _pair(input, input_encoding, errors, replacement_char, replace_control_characters, False)


def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None  # noqa: A002
) -> Any:
    """Each string as its characters (`tf.strings.unicode_split`): a vector for a scalar, else ragged."""
    return _pair(input, input_encoding, errors, replacement_char, False, True)[0]


def unicode_split_with_offsets(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None  # noqa: A002
) -> Any:
    """Characters and the byte offset of each (`tf.strings.unicode_split_with_offsets`)."""
    return _pair(input, input_encoding, errors, replacement_char, False, True)


@op("UnicodeTranscode", input=tensor(string))
def unicode_transcode(
    input: Any,  # noqa: A002
    input_encoding: str,
    output_encoding: str,
    errors: str = "replace",
    replacement_char: int = 65533,
    replace_control_characters: bool = False,
    name: str | None = None,
) -> Any:
    """Strings in another encoding (`tf.strings.unicode_transcode`)."""
    if output_encoding not in _ENCODINGS:
        raise invalid(
            f'Value for attr \'output_encoding\' of "{output_encoding}" is not in the list of allowed values: "UTF-8", "UTF-16-BE", '
            '"UTF-32-BE" [Op:UnicodeTranscode] name: '
        )
    codec, target = _codec(input_encoding), _ENCODINGS[output_encoding]
    _mode(errors, "UnicodeTranscode")

    def one(s: bytes) -> bytes:
        pieces = _pieces(s, codec, errors, chr(replacement_char), replace_control_characters, "UnicodeTranscode")
        return "".join(c for _, c, _ in pieces if c is not None).encode(target)

    return each(one, input)


@op("UnicodeEncode", input_values=tensor(INTS), input_splits=tensor(INTS, group="S"))
def _encode(input_values: Any, input_splits: Any, encoding: str, errors: str, replacement: int) -> Any:
    if encoding not in _ENCODINGS:
        raise invalid(f'Value for attr \'output_encoding\' of "{encoding}" is not in the list of allowed values: "UTF-8", "UTF-16-BE", "UTF-32-BE" [Op:UnicodeEncode] name: ')
    _mode(errors, "UnicodeEncode")
    target = _ENCODINGS[encoding]
    points, bounds = input_values.tolist(), input_splits.tolist()
    out = []
    for a, b in zip(bounds[:-1], bounds[1:], strict=True):
        text = ""
        for p in points[a:b]:
            if 0 <= p <= 0x10FFFF and not 0xD800 <= p <= 0xDFFF:
                text += chr(p)
            elif errors == "strict":
                raise invalid("Code point is out of range for Unicode, or a noncharacter. [Op:UnicodeEncode] name: ")
            elif errors == "replace":
                text += chr(replacement)
        out.append(text.encode(target))
    return vector(out)


_encode.infer(lambda values, splits, *rest: [(string, (None,))])


def unicode_encode(input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: str | None = None) -> Any:  # noqa: A002
    """Strings from rows of code points (`tf.strings.unicode_encode`)."""
    from .. import RaggedTensor, ragged, reshape, size
    from .._engine.convert import convert_to_tensor

    if not isinstance(input, RaggedTensor):
        try:
            value = convert_to_tensor(input)
        except ValueError:
            value = ragged.constant(input)
    else:
        value = input
    if isinstance(value, RaggedTensor):
        if value.ragged_rank > 1:
            return value.with_values(unicode_encode(value.values, output_encoding, errors, replacement_char))
        return _encode(value.values, value.row_splits, output_encoding, errors, replacement_char)
    if value.shape.rank == 1:
        splits = convert_to_tensor(np.array([0, 0], np.int64)) + size(value, out_type=int64) * convert_to_tensor(np.array([0, 1], np.int64))
        return reshape(_encode(value, splits, output_encoding, errors, replacement_char), [])
    dims = value.shape.as_list()
    if value.shape.rank == 0:
        raise ValueError("input_tensor's rank must be at least 1.")
    count = int(np.prod(dims[:-1], dtype=int))
    splits = convert_to_tensor(np.arange(count + 1, dtype=np.int64) * dims[-1])
    return reshape(_encode(reshape(value, [-1]), splits, output_encoding, errors, replacement_char), dims[:-1])


#: ICU's numbers of the scripts that a character's Unicode name begins with
_SCRIPTS = {
    "ARABIC": 2, "ARMENIAN": 3, "BENGALI": 4, "BOPOMOFO": 5, "CHEROKEE": 6, "COPTIC": 7, "CYRILLIC": 8, "DESERET": 9, "DEVANAGARI": 10,
    "ETHIOPIC": 11, "GEORGIAN": 12, "GOTHIC": 13, "GREEK": 14, "GUJARATI": 15, "GURMUKHI": 16, "CJK": 17, "HANGUL": 18, "HEBREW": 19,
    "HIRAGANA": 20, "KANNADA": 21, "KATAKANA": 22, "KHMER": 23, "LAO": 24, "LATIN": 25, "MALAYALAM": 26, "MONGOLIAN": 27, "MYANMAR": 28,
    "OGHAM": 29, "RUNIC": 32, "SINHALA": 33, "SYRIAC": 34, "TAMIL": 35, "TELUGU": 36, "THAANA": 37, "THAI": 38, "TIBETAN": 39,
}  # fmt: skip


def _script(point: int) -> int:
    if not 0 <= point <= 0x10FFFF:
        return -1
    char = chr(point)
    category = unicodedata.category(char)
    if category[0] not in "LM" and category != "Nd":
        return 103 if category == "Cn" else 0
    found = _SCRIPTS.get(unicodedata.name(char, "").split(" ")[0], 0)
    if category in ("Mn", "Me") and (not found or 0x64B <= point <= 0x655 or point == 0x670):
        return 1  # a mark that takes the script of what it stands on
    return found


@op("UnicodeScript", input=tensor(int32))
def unicode_script(input: Any, name: str | None = None) -> Any:  # noqa: A002
    """ICU's number of the script of each code point: 0 common, 1 inherited, -1 invalid (`tf.strings.unicode_script`)."""
    if input.device.type == "meta":
        return torch.empty_like(input)
    return torch.tensor([_script(p) for p in input.reshape(-1).tolist()], dtype=torch.int32).reshape(input.shape)


unicode_transcode.strings(unicode_transcode.op.fn)
