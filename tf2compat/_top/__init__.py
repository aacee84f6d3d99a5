"""Functions that are public directly under `tf.` and in no submodule of it."""
