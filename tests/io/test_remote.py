"""Files with a scheme, through fsspec: in memory and over HTTP."""

import functools
import http.server
import threading

import pytest

import tf2compat as tf

pytest.importorskip("fsspec")


@pytest.fixture(autouse=True)
def clean():
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def test_memory_files():
    g = tf.io.gfile
    tf.io.write_file("memory://d/a.txt", "one\ntwo\n")
    assert tf.io.read_file("memory://d/a.txt").numpy() == b"one\ntwo\n"
    assert g.exists("memory://d/a.txt") and g.isdir("memory://d") and g.listdir("memory://d") == ["a.txt"]
    assert g.stat("memory://d/a.txt").length == 8 and not g.exists("memory://d/b")
    assert [f.endswith("/d/a.txt") for f in g.glob("memory://d/*.txt")] == [True]
    g.copy("memory://d/a.txt", "memory://d/b.txt")
    g.rename("memory://d/b.txt", "memory://d/c.txt")
    with g.GFile("memory://d/c.txt", "rb") as file:
        assert file.readline() == b"one\n"
    assert [x.numpy() for x in tf.data.TextLineDataset("memory://d/c.txt")] == [b"one", b"two"]
    g.remove("memory://d/c.txt")
    g.rmtree("memory://d")
    assert not g.exists("memory://d/a.txt")
    with pytest.raises(tf.errors.NotFoundError):
        tf.io.read_file("memory://d/a.txt")
    with pytest.raises(tf.errors.NotFoundError):
        list(tf.data.TFRecordDataset("memory://no"))
    assert "memory" in g.get_registered_schemes()


def test_records_in_memory(tmp_path):
    with tf.io.TFRecordWriter("memory://r.tfrecord", "GZIP") as writer:
        for i in range(100):
            writer.write(b"%d" % i)
    found = [x.numpy() for x in tf.data.TFRecordDataset("memory://r.tfrecord", "GZIP")]
    assert found == [b"%d" % i for i in range(100)]
    tf.io.gfile.copy("memory://r.tfrecord", str(tmp_path / "r"))
    assert len(list(tf.data.TFRecordDataset(str(tmp_path / "r"), "GZIP"))) == 100


def test_http(tmp_path):
    pytest.importorskip("aiohttp")
    (tmp_path / "x.txt").write_bytes(b"a\nb\n")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    handler.log_message = lambda *a: None
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        assert tf.io.read_file(f"{base}/x.txt").numpy() == b"a\nb\n"
        assert [x.numpy() for x in tf.data.TextLineDataset(f"{base}/x.txt")] == [b"a", b"b"]
        with pytest.raises(tf.errors.NotFoundError):
            tf.io.read_file(f"{base}/y.txt")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
