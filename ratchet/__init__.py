"""Ratchet: pipeline components that move a model forward on evidence and take it back by themselves.

This module imports nothing: a pipeline step is a new process, and pays for what it imports.
"""

__version__ = "0.1.0"
