"""From a commit to a package index: `make build`, `make publish`, and the two jobs of a release workflow.

uv uploads files, and skips those that the index already has. This package does the rest. Read in this order:

- `__main__`: the command, with the steps `build`, `check` and `upload`.
- `check`: decides whether the commit may be published as its version.
- `build`: writes the wheel and the sdist, with the same bytes for the same commit.
- `upload`: runs uv. It is the only step that sees the credential, so it needs only Python and uv.
"""
