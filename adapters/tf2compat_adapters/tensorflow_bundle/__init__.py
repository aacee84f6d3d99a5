"""TensorFlow's own checkpoint format: `<prefix>.index` (a LevelDB-format table) and `<prefix>.data-SSSSS-of-NNNNN`."""

from tf2compat_adapters.tensorflow_bundle.format import TensorFlowBundle

__all__ = ["TensorFlowBundle"]
