"""The gateway: the process that answers requests, follows the ledger, and records what it answered."""
