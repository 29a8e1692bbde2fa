"""What is deployed, how it got there, and how it is taken back: ledger, audit chain, registry, promotion, verification, outcomes."""
