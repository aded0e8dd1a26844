"""SQL to chain: carries what listeners do onto the chain and launches coins at milestones."""
