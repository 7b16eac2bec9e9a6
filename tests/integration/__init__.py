"""Tests with software that is not ours, in environments of their own; `make integration` runs them."""
