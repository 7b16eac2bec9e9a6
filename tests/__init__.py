"""The tests; they mirror overrides/ and tools/, and need no network but loopback."""
