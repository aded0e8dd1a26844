"""Whether the process runs and can serve."""
