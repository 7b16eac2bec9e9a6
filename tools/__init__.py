"""The tools that the Makefile runs on the contract. They are not part of the installed package."""
