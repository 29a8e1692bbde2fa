"""Models: what trains them, and the package in which one travels from training to serving."""
