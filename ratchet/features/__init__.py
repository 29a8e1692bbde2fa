"""What a model sees of a row: SQL expressions, windows over time, and which rows train, choose and judge."""
