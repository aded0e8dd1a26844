"""One module per contract, each with a `CONTRACT`: its name (the ABI's) and its handlers by event name."""
