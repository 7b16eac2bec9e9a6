"""From a commit to a package index: `make build`, `make publish`, and the two jobs of a release workflow.

uv uploads, and compares with what the index has; what lives here is what it does not do. Read in this order:

- `__main__` is the command: `build`, `check` and `upload`.
- `check` says whether the commit may be published as the version that it names.
- `build` writes the wheel and the sdist, the same bytes for the same commit.
- `upload` hands them to uv. It needs nothing but Python and uv, since it sees the credential: the others do not.
"""
