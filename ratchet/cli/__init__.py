"""The ``ratchet`` command. Each verb imports what it needs when it is called, so that ``--help`` answers at once."""
