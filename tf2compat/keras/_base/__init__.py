"""What Keras' public classes stand on: layers' state and calls, symbolic tensors, models' training."""
