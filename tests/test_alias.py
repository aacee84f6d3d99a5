"""`import tensorflow` as tf2compat: the same objects, and the traps that other libraries set."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def python(code: str, path: Path | None = None) -> tuple[str, str]:
    """Output and errors of a program in a process of its own."""
    paths = [str(p) for p in (path, ROOT, ROOT / "adapters") if p is not None]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


INSTALL = "import tf2compat; tf2compat.install_as_tensorflow(); tf2compat.install_as_tensorflow()\n"


def test_every_way_of_importing() -> None:
    python(
        INSTALL
        + """
import tensorflow as tf
import tensorflow.compat.v2 as tf2
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.layers import Dense
import tensorflow.math
import sys, tf2compat
assert tf.keras is tf2compat.keras is keras is sys.modules["tensorflow.keras"]
assert layers is tf2compat.keras.layers and Dense is tf2compat.keras.layers.Dense
assert tf2.constant is tf.constant is tf2compat.constant and tf2.keras is keras
assert tf.math is tf2compat.math
assert isinstance(tf2compat.constant(1), tf.Tensor) and isinstance(tf.Variable(1), tf2compat.Variable)
assert tf2compat.math.__spec__.name == "tf2compat.math" and tf2compat.keras.__spec__.origin.endswith("__init__.py")
assert tf2compat.math.__name__ == "tf2compat.math"
"""
    )


def test_star_imports_take_the_public_names() -> None:
    python(
        INSTALL
        + """
before = set(globals())
from tensorflow.keras.layers import *
assert Dense.__name__ == "Dense" and Conv2D and not {"Any", "importlib", "annotations"} & (set(globals()) - before)
from tensorflow.keras.losses import *
from tensorflow.math import *
assert MeanSquaredError and int(add(1, 2)) == 3 and "torch" not in globals()
"""
    )


def test_keras_backend_by_its_usual_name() -> None:
    python(INSTALL + "import tensorflow.keras.backend as K\nimport tf2compat\nassert K is tf2compat.keras.backend and K.epsilon() == 1e-7")


def test_private_and_missing_modules_say_so() -> None:
    python(
        INSTALL
        + """
for name, words in (("tensorflow.python.tpu.ops", "private to TensorFlow"), ("tensorflow.compiler.xla", "private to TensorFlow"),
                    ("tensorflow.nonsense", "no attribute 'nonsense'"), ("tensorflow.constant", "is not a module")):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        assert words in str(error) and error.name.startswith("tensorflow."), error
    else:
        raise AssertionError(name)
try:
    from tensorflow import nonsense
except ImportError:
    pass
import importlib.util
assert importlib.util.find_spec("tensorflow_nonsense") is None
"""
    )


def test_patching_reaches_the_package() -> None:
    python(
        INSTALL
        + """
import tensorflow as tf, tf2compat
from unittest import mock
with mock.patch("tensorflow.add", return_value=7):
    assert tf.add(1, 2) == 7 and tf2compat.add(1, 2) == 7
assert int(tf.add(1, 2)) == 3 == int(tf2compat.add(1, 2))
assert "add" in dir(tf)
"""
    )


def test_the_spec_is_the_alias_own() -> None:
    python(
        INSTALL
        + """
import importlib.util
spec = importlib.util.find_spec("tensorflow")
assert spec is not None and spec.name == "tensorflow" and spec.origin is None and spec.submodule_search_locations == []
import tensorflow as tf
assert tf.__spec__ is spec and not hasattr(tf, "__file__") and tf.__name__ == "tensorflow"
"""
    )


def test_dynamo_does_not_skip_this_package() -> None:
    python(
        INSTALL
        + """
import tensorflow as tf, torch, tf2compat
import tf2compat.math.arithmetic as home
from torch._dynamo import trace_rules
assert "tensorflow" in trace_rules.THIRDPARTY_SKIPLIST, "torch no longer has the list that this test is about"
assert not trace_rules.check_file(home.__file__).skipped
assert not trace_rules.check_file(tf2compat.__file__).skipped

seen = []
def backend(graph, inputs):
    seen.append(len(list(graph.graph.nodes)))
    return graph.forward

implementation = tf.add.__wrapped__ if hasattr(tf.add, "__wrapped__") else home.add.__wrapped__
compiled = torch.compile(lambda x: implementation(x, x) * 2, backend=backend, fullgraph=True)
assert compiled(torch.ones(3)).tolist() == [4.0, 4.0, 4.0] and seen
"""
    )


def test_tensorboard_keeps_to_its_stub(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    python(
        INSTALL
        + f"""
import tensorboard.compat
assert tensorboard.compat.tf.__version__ == "stub", tensorboard.compat.tf
from torch.utils.tensorboard import SummaryWriter
with SummaryWriter({str(tmp_path)!r}) as writer:
    writer.add_scalar("loss", 0.5, 1)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator({str(tmp_path)!r})
events.Reload()
assert [e.value for e in events.Scalars("loss")] == [0.5]
"""
    )


def test_the_version_that_others_ask_for() -> None:
    python(
        INSTALL
        + """
import importlib.metadata, tensorflow as tf
version = importlib.metadata.version("tensorflow")
assert version == tf.__version__ == tf.version.VERSION == importlib.metadata.version("tensorflow_cpu")
assert importlib.metadata.metadata("tensorflow")["Name"] == "tensorflow"
assert importlib.metadata.version("torch")
try:
    importlib.metadata.version("tensorflow-nonsense")
except importlib.metadata.PackageNotFoundError:
    pass
"""
    )


def test_libraries_that_look_in_sys_modules() -> None:
    python(
        INSTALL
        + """
import sys, numpy as np, torch
assert "tensorflow" in sys.modules
tf = sys.modules["tensorflow"]
assert isinstance(tf.constant([1.0]), tf.Tensor) and not isinstance(np.ones(1), tf.Tensor) and not isinstance(torch.ones(1), tf.Tensor)
assert isinstance(tf.Variable([1.0]), tf.Variable)
"""
    )


def test_a_real_tensorflow_is_shadowed_and_it_says_so_once(tmp_path: Path) -> None:
    real = tmp_path / "tensorflow"
    real.mkdir()
    (real / "__init__.py").write_text("__version__ = '0.0.real'\n")
    out, err = python(INSTALL + "import tensorflow as tf; print(tf.__version__)", path=tmp_path)
    assert "real" not in out
    assert err.count("the installed TensorFlow is not used") == 1
    _, err = python(INSTALL)
    assert "TensorFlow" not in err or "installed TensorFlow" not in err
    python(
        "import tensorflow\nimport tf2compat\n"
        "try: tf2compat.install_as_tensorflow()\n"
        "except RuntimeError as error: assert 'before the first' in str(error)\n"
        "else: raise AssertionError",
        path=tmp_path,
    )


def test_spawned_processes_have_the_alias(tmp_path: Path) -> None:
    script = tmp_path / "spawns.py"
    script.write_text(
        "import multiprocessing\n"
        "import tensorflow as tf\n"
        "def work(n):\n"
        "    return int(tf.add(n, 1))\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.map(work, [1, 2]))\n"
    )
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'adapters'}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-m", "tf2compat", str(script)], env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[2, 3]\n"


def test_tensorboards_own_writers_write(tmp_path: Path) -> None:
    """hparams' API, which writes summaries through `tensorboard.compat.tf2`, and TensorBoard's reader of files beside it."""
    code = (
        "import sys, tf2compat; tf2compat.install_as_tensorflow()\n"
        "import tensorflow as tf\n"
        "from tensorboard.plugins.hparams import api as hp\n"
        "units = hp.HParam('units', hp.Discrete([4, 8]))\n"
        "with tf.summary.create_file_writer(sys.argv[1]).as_default():\n"
        "    hp.hparams_config(hparams=[units], metrics=[hp.Metric('accuracy')])\n"
        "    hp.hparams({units: 4})\n"
        "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
        "found = EventAccumulator(sys.argv[1]).Reload()\n"
        "print(sorted(found.PluginTagToContent('hparams')))\n"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert answer.stdout.strip() == "['_hparams_/experiment', '_hparams_/session_start_info']"
