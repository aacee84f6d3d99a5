"""The subcommands of `python -m tf2compat` that need nothing but the package."""
