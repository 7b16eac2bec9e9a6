"""What changed for callers between two states of the project: `make changes` and `make check-version`.

A state is the contract together with its Python, as callers see it. Both are joined into one table of names (a
"surface"). Comparing two surfaces gives changes, each with a rating and a sentence. Read in this order:

- `__main__`: the command and its options.
- `history`: takes the older state from git, and compares both states.
- `surface`: the names that callers can use in one state, each with its keywords in the contract.
- `keywords`: normalizes these keywords, so that a change of notation alone does not count.
- `compare`: compares two surfaces.
- `sentences`: the rating and the sentence of each kind of change; docs/changes.md lists them.
- `report`: prints the changes, and checks the version and the changelog against them.
"""
