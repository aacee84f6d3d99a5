"""The real TensorBoard, in headless Chromium, on what `tf.summary` and Keras' callback write.

With TF2COMPAT_SCREENSHOTS=DIR the pages are written there as PNGs.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tf2compat as tf

_BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (_BROWSER and _DRIVER), reason="Chromium and chromedriver are not installed")

# Everything that a page shows, in shadow trees and frames too.
_TEXT = """
const seen = [];
function walk(node) {
  if (node.nodeType === 3) { seen.push(node.textContent); return; }
  if (node.tagName === 'STYLE' || node.tagName === 'SCRIPT') return;
  if (node.tagName === 'INPUT') seen.push(node.value);
  if (node.shadowRoot) walk(node.shadowRoot);
  if (node.tagName === 'IFRAME' && node.contentDocument) walk(node.contentDocument.documentElement);
  for (const child of node.childNodes) walk(child);
}
walk(document.documentElement);
return seen.join(' ');
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _ask(url: str, body: Any = None, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.loads(answer.read())


@contextlib.contextmanager
def _process(command: list[str], ready: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(ready, timeout=5).close()
                break
            except (OSError, urllib.error.URLError):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.3)
        yield
    finally:
        process.terminate()
        process.wait(30)


class _Page:
    def __init__(self, driver: str, board: str) -> None:
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1100,760"], "binary": _BROWSER}
        answer = _ask(f"{driver}/session", {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}})
        self._session = f"{driver}/session/{answer['value']['sessionId']}"
        self._board = board

    def show(self, dashboard: str, *expected: str) -> str:
        """Opens a dashboard and waits until it shows the expected words."""
        _ask(f"{self._session}/url", {"url": "about:blank"})
        _ask(f"{self._session}/url", {"url": f"{self._board}/#{dashboard}"})
        deadline = time.monotonic() + 60
        while True:
            text = _ask(f"{self._session}/execute/sync", {"script": _TEXT, "args": []})["value"]
            missing = [word for word in expected if word not in text]
            if not missing:
                break
            assert time.monotonic() < deadline, f"the dashboard {dashboard} does not show {missing}: {' '.join(text.split())[:3000]}"
            time.sleep(0.5)
        folder = os.environ.get("TF2COMPAT_SCREENSHOTS")
        if folder:
            time.sleep(4)  # charts draw themselves
            picture = _ask(f"{self._session}/screenshot")["value"]
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{dashboard.split('&')[0]}.png").write_bytes(base64.b64decode(picture))
        return text

    def close(self) -> None:
        _ask(self._session, method="DELETE")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training with everything the callback writes, and each kind of summary."""
    directory = tmp_path_factory.mktemp("logs")
    tf.keras.utils.set_random_seed(3)
    x = np.random.default_rng(0).integers(0, 20, [64, 6])
    y = (x.sum(1, keepdims=True) % 2).astype("float32")
    model = tf.keras.Sequential(
        [tf.keras.layers.Embedding(20, 4, input_length=6, name="words"), tf.keras.layers.Flatten(), tf.keras.layers.Dense(8, "relu", name="hidden"),
         tf.keras.layers.Dense(1, "sigmoid", name="answer")]
    )  # fmt: skip
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    callback = tf.keras.callbacks.TensorBoard(str(directory), histogram_freq=1, write_images=True, embeddings_freq=1, profile_batch=(2, 3))
    model.fit(x, y, epochs=4, validation_split=0.25, verbose=0, callbacks=[callback])

    @tf.function
    def step(a: tf.Tensor) -> tf.Tensor:
        if tf.reduce_sum(a) > 0:
            a = tf.matmul(a, a, name="squared")
        return tf.nn.relu(a)

    with tf.summary.create_file_writer(str(directory / "summaries")).as_default():
        for number in range(20):
            tf.summary.scalar("wave", np.sin(number / 3), step=number)
            tf.summary.histogram("spread", np.random.default_rng(number).normal(number / 10, 1, 500), step=number)
        ramp = np.linspace(0, 1, 32 * 32 * 3).reshape(1, 32, 32, 3)
        tf.summary.image("ramp", ramp, step=0)
        tf.summary.audio("tone", np.sin(np.arange(8000) / 8).reshape(1, -1, 1).astype("float32"), 8000, step=0)
        tf.summary.text("note", "some **Markdown**", step=0)
        tf.summary.trace_on(graph=True)
        step(tf.ones([2, 2]))
        tf.summary.trace_export("step", step=0)
    with tf.summary.create_file_writer(str(directory / "graph")).as_default():
        tf.summary.graph(step.get_concrete_function(tf.ones([2, 2])).graph)
    return directory


def test_every_dashboard(logs: Path) -> None:
    board, driver = (f"http://localhost:{_free_port()}" for _ in range(2))
    server = [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", board.rsplit(":", 1)[1], "--load_fast", "false"]
    with _process(server, board), _process([str(_DRIVER), f"--port={driver.rsplit(':', 1)[1]}"], driver + "/status"):
        deadline = time.monotonic() + 90
        while len(_ask(board + "/data/runs")) < 4 and time.monotonic() < deadline:
            time.sleep(0.5)
        assert set(_ask(board + "/data/runs")) == {"graph", "summaries", "train", "validation"}
        while "graph" not in (graphs := _ask(board + "/data/plugin/graphs/info")) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert graphs["train"]["run_graph"]
        assert graphs["train"]["tags"]["keras"]["conceptual_graph"]
        assert graphs["summaries"]["tags"]["step"]["op_graph"]
        assert {"words/embeddings_0/histogram", "hidden/kernel_0/histogram"} <= set(_ask(board + "/data/plugin/histograms/tags")["train"])
        assert "answer/kernel_0/image" in _ask(board + "/data/plugin/images/tags")["train"]
        assert _ask(board + "/data/plugin/audio/tags")["summaries"].keys() == {"tone"}
        (embedding,) = _ask(board + "/data/plugin/projector/info?run=train")["embeddings"]
        assert embedding["tensorShape"] == [20, 4]
        page = _Page(driver, board)
        try:
            page.show("scalars", "epoch_loss", "epoch_accuracy", "wave")
            page.show("histograms&tagFilter=spread", "spread")
            page.show("images&tagFilter=ramp", "ramp")
            page.show("audio", "tone")
            page.show("text", "note", "Markdown")
            page.show("graphs", "Relu", "cond")
        finally:
            page.close()
