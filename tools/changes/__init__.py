"""What changed for callers between two states of the project: `make changes` and `make check-version`.

A state has two sides: the contract, and the Python that callers see of it. They are joined into one table of names, two
such tables are compared, and each difference has a rating and a sentence. Read in this order:

- `__main__` is the command: what to compare, and how to print it.
- `history` takes the older state from git, and has both states compared.
- `surface` makes the table of a state: the names that callers can write, each with what the contract says about it.
- `keywords` puts what the contract says in one form, so that another way to write the same is no change.
- `compare` compares two tables.
- `sentences` has the rating and the sentence of each kind of change; docs/changes.md lists them.
- `report` prints the changes, and checks the version and the changelog against them.
"""
