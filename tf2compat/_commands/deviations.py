"""Public names whose signature is not TensorFlow's, each with its reason. A test allows these and no others."""

from __future__ import annotations

#: public path -> why its parameters differ
DEVIATIONS: dict[str, str] = {
    "tf.Graph": "a name and the outer graph may be given, as TensorFlow's FuncGraph takes them",
    "tf.data.Dataset": "datasets are made by its static methods; there is no variant tensor",
    "tf.errors.OpError": "the error code may be left out; subclasses know theirs",
    "tf.keras.metrics.Metric.add_weight": "the name may be left out",
    "tf.keras.Sequential.compute_mask": "the mask may be left out",
    "tf.keras.layers.RNN.compute_mask": "the mask may be left out",
    "tf.fftnd": "the function of tf.signal, which gives the last arguments defaults and takes `norm`",
    "tf.ifftnd": "as tf.fftnd",
    "tf.irfftnd": "as tf.fftnd; the result's dtype follows from the input's",
    "tf.rfftnd": "as tf.fftnd; the result's dtype follows from the input's",
    "tf.test.TestCase": "absltest's own constructor, which passes its arguments on",
    "tf.test.TestCase.assertItemsEqual": "absltest's own method",
    "tf.test.TestCase.assertRaisesRegexp": "absltest's own method",
    "tf.train.CheckpointOptions": "one more option at the end, `experimental_format`: TensorFlow's bundles or safetensors",
    "tf.types.experimental.FunctionType": "the constructor that TensorFlow's class has; the listing shows that of inspect.Signature, its base",
}
