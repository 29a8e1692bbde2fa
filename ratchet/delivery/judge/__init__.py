"""The judge: anytime-valid tests of live evidence. Pure functions of arrays; what follows from them is decided in `advance`."""
