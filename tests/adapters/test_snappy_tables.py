"""Indexes of checkpoints that older TensorFlow releases wrote: tables whose blocks are compressed by Snappy."""

import cramjam
import numpy as np
import pytest
from tf2compat_adapters import crc32c as crc
from tf2compat_adapters.tensorflow_bundle import sstable

import tf2compat as tf


def compressed(table: bytes, change=lambda block: block) -> bytes:
    """The table with every block compressed, as TensorFlow 2.0 writes it."""
    entries = list(sstable.read(table))
    out = bytearray()

    def emit(writer) -> bytes:
        content = change(bytes(cramjam.snappy.compress_raw(writer.finish()))) + b"\x01"
        handle = sstable.put_varint(len(out)) + sstable.put_varint(len(content) - 1)
        out.extend(content + crc.mask(crc.value(content)).to_bytes(4, "little"))
        return handle

    block, index = sstable._BlockWriter(16), sstable._BlockWriter(1)
    for key, value in entries:
        block.add(key, value)
    index.add(block.last, emit(block))
    footer = emit(sstable._BlockWriter(1)) + emit(index)
    out.extend(footer.ljust(40, b"\0") + sstable._MAGIC.to_bytes(8, "little"))
    return bytes(out)


def test_a_checkpoint_with_a_compressed_index_is_read(tmp_path):
    before = tf.Variable(np.arange(6, dtype=np.float32))
    path = tf.train.Checkpoint(v=before).write(str(tmp_path / "c"), tf.train.CheckpointOptions(experimental_format="tensorflow"))
    index = tmp_path / "c.index"
    index.write_bytes(compressed(index.read_bytes()))
    after = tf.Variable(np.zeros(6, np.float32))
    tf.train.Checkpoint(v=after).read(path).assert_consumed()
    assert after.numpy().tolist() == before.numpy().tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda block: b"\xff\xff\xff\xff\x0f" + block[1:],  # claims gigabytes
        lambda block: block[:-3],
        lambda block: bytes([block[0] ^ 1]) + block[1:],
    ],
)
def test_a_damaged_block_is_refused(change):
    table = sstable.build([(b"a" * 50, b"b" * 500), (b"c", b"d")])
    with pytest.raises(sstable.Damaged):
        list(sstable.read(compressed(table, change)))
