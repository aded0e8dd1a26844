"""`encore up`: the whole local system as supervised processes."""
