"""The command talkdesk-bridge: `main` enters it, `commands` declares it, and each command is a module of its own."""
