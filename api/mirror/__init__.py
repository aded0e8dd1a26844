"""How far the mirror of the chain has got: every answer from it names the block it is of."""
