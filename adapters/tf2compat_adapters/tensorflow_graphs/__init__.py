"""TensorFlow's own graphs, read from `saved_model.pb` or a GraphDef: run by calling our ops, node by node, while a function is traced.

`interpreter.py` walks a function; the files `*_ops.py` say what each of TensorFlow's ops is here; `saved_functions.py` makes the functions of
a SavedModel out of it. An op that has no entry raises NotImplementedError with its name when its function is first traced.
"""
