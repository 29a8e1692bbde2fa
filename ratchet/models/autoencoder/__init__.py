"""Autoencoders: a network that learns what usual rows look like, and how far a row is from that."""
