# Generated from openapi.yaml by `make generate`: edits are lost.
"""What the contract says, as code: `api` has its operations, `models` its schemas. `talkdesk_bridge` is the client."""

VERSION = "0.1.0"
"""The version of the contract, and so of the client."""
