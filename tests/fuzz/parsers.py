"""Damages what the parsers of tf.io, tf.image, tf.audio and tf.strings read, and counts what is refused.

    python -m tests.fuzz.parsers COUNT [PARSER …]

Each input is a good one with one to five bytes flipped, replaced, left out or put in, or cut short; records, images and JSON too with checksums
that match again. A failure is any exception but TensorFlow's for bad data, and more than a second for one input.
"""

from __future__ import annotations

import io
import os
import random
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

import tf2compat as tf

_REFUSALS = (tf.errors.InvalidArgumentError, tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.UnimplementedError)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """`data` with a few changes."""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        if not out:
            break
        at, kind = rng.randrange(len(out)), rng.randrange(5)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at] = rng.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            del out[at : at + rng.randrange(1, 9)]
        elif kind == 3:
            out[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
        else:
            del out[at:]
    return bytes(out)


def _whole_png(data: bytes) -> bytes:
    """The chunks' checksums made to match, as far as there are chunks."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        size = struct.unpack(">I", out[at : at + 4])[0]
        if at + 12 + size > len(out):
            break
        out[at + 8 + size : at + 12 + size] = struct.pack(">I", zlib.crc32(out[at + 4 : at + 8 + size]))
        at += 12 + size
    return bytes(out)


def _parsers(folder: str, rng: random.Random) -> dict[str, tuple[bytes, Callable[[bytes], Any]]]:
    """Each parser: a good input, and what reads a damaged one."""
    feature, whole = tf.train.Feature, tf.train.Int64List
    example = tf.train.Example(features=tf.train.Features(feature={
        "a": feature(int64_list=whole(value=[1, 2])), "s": feature(bytes_list=tf.train.BytesList(value=[b"xy", b""])),
        "f": feature(float_list=tf.train.FloatList(value=[1.5] * 3)),
    })).SerializeToString()  # fmt: skip
    steps = tf.train.FeatureList(feature=[feature(int64_list=whole(value=[1, 2]))] * 2)
    sequence = tf.train.SequenceExample(
        context=tf.train.Features(feature={"a": feature(int64_list=whole(value=[1]))}), feature_lists=tf.train.FeatureLists(feature_list={"l": steps})
    ).SerializeToString()
    specs = {"a": tf.io.VarLenFeature(tf.int64), "s": tf.io.RaggedFeature(tf.string), "f": tf.io.FixedLenFeature([3], tf.float32, [0.0] * 3)}
    files = {}
    for kind in ("", "GZIP"):
        path = os.path.join(folder, f"records{kind}")
        with tf.io.TFRecordWriter(path, kind) as writer:
            for _ in range(5):
                writer.write(example)
        with open(path, "rb") as file:
            files[kind] = file.read()

    def records(data: bytes, kind: str = "") -> int:
        path = os.path.join(folder, "damaged")
        with open(path, "wb") as file:
            file.write(data)
        return sum(1 for _ in tf.data.TFRecordDataset(path, kind))

    image = np.random.RandomState(0).randint(0, 255, (24, 20, 3)).astype(np.uint8)

    def by_pillow(kind: str) -> bytes:
        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(image).save(out, kind)
        return out.getvalue()

    def text(data: bytes) -> None:
        tf.strings.unicode_decode(data, "UTF-8", errors=rng.choice(["strict", "replace", "ignore"]))
        tf.strings.length(data, "UTF8_CHAR")
        tf.strings.unicode_transcode(data, "UTF-8", "UTF-16-BE")

    png = tf.io.encode_png(image).numpy()
    return {
        "TFRecord": (files[""], records), "TFRecord, GZIP": (files["GZIP"], lambda b: records(b, "GZIP")),
        "Example": (example, lambda b: tf.io.parse_example([b, example], specs)), "Example, one": (example, lambda b: tf.io.parse_single_example(b, specs)),
        "SequenceExample": (sequence, lambda b: tf.io.parse_single_sequence_example(
            b, {"a": tf.io.FixedLenFeature([], tf.int64)}, {"l": tf.io.VarLenFeature(tf.int64)})),
        "CSV": (b'1,"a,b",2.5,x\n', lambda b: tf.io.decode_csv(b, [[0], [""], [0.0], [""]])),
        "JSON Example": (b'{"features":{"feature":{"a":{"int64List":{"value":["1","2"]}}}}}', tf.io.decode_json_example),
        "regular expression": (b"(a+|b{2,3})*[^c-d]\\w(?P<n>x)?$", lambda b: tf.strings.regex_replace("aabbxxyz" * 20, b, "\\1")),
        "JPEG": (tf.io.encode_jpeg(image).numpy(), tf.io.decode_jpeg), "PNG": (png, lambda b: tf.io.decode_png(_whole_png(b))),
        "GIF": (by_pillow("GIF"), tf.io.decode_gif), "BMP": (by_pillow("BMP"), tf.io.decode_bmp),
        "any image": (by_pillow("GIF"), tf.io.decode_image), "UTF-8": ("hé日本𝄞x".encode(), text), "base64": (b"aGVsbG8gd29ybGQ", tf.io.decode_base64),
        "zlib": (zlib.compress(b"x" * 500), lambda b: tf.io.decode_compressed(b, "ZLIB")), "number": (b"-1.5e10", tf.strings.to_number),
        "tensor": (tf.io.serialize_tensor(tf.constant([[1.0, 2.0]])).numpy(), lambda b: tf.io.parse_tensor(b, tf.float32)),
        "WAV": (tf.audio.encode_wav(np.zeros((50, 1), np.float32), 8000).numpy(), tf.audio.decode_wav),
    }  # fmt: skip


def fuzz(count: int, only: list[str] | None = None, seed: int = 7) -> dict[str, tuple[int, dict[str, bytes]]]:
    """For each parser how many inputs were refused, and failures: what happened -> an input."""
    rng = random.Random(seed)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (good, parse) in _parsers(folder, rng).items():
            if only and name not in only:
                continue
            refused, failures = 0, {}
            for _ in range(count):
                data, start = mutated(good, rng), time.perf_counter()
                try:
                    parse(data)
                except _REFUSALS:
                    refused += 1
                except Exception as error:  # noqa: BLE001 - counted
                    failures[f"{type(error).__name__}: {str(error)[:80]}"] = data
                if time.perf_counter() - start > 1:
                    failures["slow"] = data
            found[name] = refused, failures
    return found


if __name__ == "__main__":
    number = int(sys.argv[1])
    for parser, (refusals, bad) in fuzz(number, sys.argv[2:]).items():
        print(f"| {parser} | {number:,} | {refusals:,} | {len(bad)} |", bad or "", flush=True)
    print("most memory of the process:", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10, "MiB")
