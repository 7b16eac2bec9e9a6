"""Benchmarks of the client and its peers, measured together in one run of `make bench`."""
