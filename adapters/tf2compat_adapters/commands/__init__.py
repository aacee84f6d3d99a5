"""The subcommands of `python -m tf2compat` that speak file formats."""
