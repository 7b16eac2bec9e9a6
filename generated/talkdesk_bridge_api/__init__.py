# Generated from openapi.yaml by `make generate`: edits are lost.
"""A client library for accessing Financial Services Experience Cloud for Insurance - Integrations Bridge"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
