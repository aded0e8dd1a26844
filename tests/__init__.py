"""What must hold, by part; helpers that several suites share."""
