"""Recorded traffic: every prediction and label, from a journal on the gateway's disk to the table that the judge reads."""
