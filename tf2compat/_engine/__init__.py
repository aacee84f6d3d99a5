"""What everything stands on and no user imports: tensors, dtypes, shapes, variables, ops, tapes."""
