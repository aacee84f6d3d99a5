"""The subcommands of `python -m tf2compat`, one file each."""
