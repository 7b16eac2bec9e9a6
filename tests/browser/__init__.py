"""The contract's page, opened in a browser."""
