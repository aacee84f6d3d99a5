"""Files of images: there and back, and files that are broken or claim too much."""

import random
import struct
import zlib

import numpy as np
import pytest

pytest.importorskip("PIL")

import tf2compat as tf

IMAGE = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)


def test_png_there_and_back():
    for channels in (1, 2, 3, 4):
        image = np.resize(IMAGE, (4, 5, channels))
        np.testing.assert_array_equal(tf.image.decode_png(tf.image.encode_png(image)), image)
    deep = (np.arange(12, dtype=np.uint16) * 5000).reshape(3, 4, 1)
    np.testing.assert_array_equal(tf.image.decode_png(tf.image.encode_png(deep), dtype=tf.uint16), deep)


def test_batches_of_png():
    files = tf.image.encode_png(np.stack([IMAGE, IMAGE + 1]))
    assert files.shape == [2] and files.dtype == tf.string
    np.testing.assert_array_equal(tf.image.decode_png(files[1]), IMAGE + 1)


def test_jpeg_is_close():
    smooth = np.tile(np.arange(0, 160, 10, dtype=np.uint8)[:, None, None], (1, 16, 3))
    decoded = tf.image.decode_jpeg(tf.image.encode_jpeg(smooth, quality=95))
    assert np.abs(decoded.numpy().astype(int) - smooth).max() < 8
    assert tf.image.decode_jpeg(tf.image.encode_jpeg(smooth), ratio=4).shape == [4, 4, 3]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_a_header_that_claims_gigabytes_allocates_nothing():
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    with pytest.raises(tf.errors.InvalidArgumentError, match="Invalid PNG data"):
        tf.image.decode_image(bomb)


@pytest.mark.parametrize("encode", [tf.image.encode_png, tf.image.encode_jpeg])
def test_mutated_files_decode_or_raise(encode):
    good = encode(IMAGE).numpy()
    rng = random.Random(5)
    for _ in range(1500):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(len(data)) :]
        try:
            decoded = tf.image.decode_image(bytes(data))
        except tf.errors.InvalidArgumentError:
            continue
        assert decoded.dtype == tf.uint8 and len(decoded.shape) in (3, 4)
