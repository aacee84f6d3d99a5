"""The first `fit` of a process loads nothing that it has no use for: modules take longer to load than small models to train."""

import subprocess
import sys

PROGRAM = """
import sys
import numpy as np
import tf2compat as tf
model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
model.compile("adam", "mse", metrics=["mae"])
model.fit(np.zeros((5, 3)), np.zeros((5, 2)), verbose=0)
print([name for name in ("absl.logging", "tf2compat.image", "tf2compat.io", "tf2compat.strings", "tensorboard") if name in sys.modules])
"""


def test_the_first_fit_loads_what_it_uses():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == "[]"
