"""Our graphs as TensorFlow's functions: what a SavedModel holds for TensorFlow itself to run (TF Serving, TFLite, `tf.saved_model.load`)."""
