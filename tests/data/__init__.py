"""Generators of input that tests and benchmarks share."""
