"""Everything of tf2compat that speaks to another library or file format, one module or package for each.

The core never imports this package by name for its own work: it asks `tf2compat._ports` for an adapter, which finds it
through the entry-point group `tf2compat.adapters`.
"""
