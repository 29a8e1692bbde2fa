"""What a person reads: HTML pages that open without network, Markdown verdicts, and metrics KFP can carry."""
