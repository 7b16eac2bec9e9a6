"""The command talkdesk-bridge. `main` is the entry point; `commands` declares the subcommands, one module each."""
