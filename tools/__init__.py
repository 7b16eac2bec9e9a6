"""What the Makefile runs on the contract; nothing here is part of the installed package."""
