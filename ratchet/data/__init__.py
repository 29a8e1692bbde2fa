"""From files to rows that can be trusted: reading, storing, naming, describing and judging tables."""
