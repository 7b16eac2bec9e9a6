"""`make site`: the pages of docs/ and a reference of all public names as static HTML that works from a folder.

- `__main__`: puts the pages into .site/, writes those of the reference that follow the contract and the command, and
  checks that the navigation in mkdocs.yml lists each of them.
- `signatures`: completes signatures; mkdocstrings loads it in its own environment.
"""
