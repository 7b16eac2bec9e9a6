"""The command talkdesk-bridge: `main` is the entry point, `commands` declares the rest, one module for each command."""
