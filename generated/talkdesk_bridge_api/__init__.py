# Generated from openapi.yaml by `make generate`: edits are lost.
"""The contract as code: operations in `api`, schemas in `models`. Use it through the client `talkdesk_bridge`."""

VERSION = "0.1.0"
"""The version of the contract, which is also the version of the client."""
