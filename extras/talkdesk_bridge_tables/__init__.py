"""Invoices as Arrow tables: one schema, made from the contract, for pandas, polars, DuckDB, Parquet and Spark."""

from talkdesk_bridge_tables._parquet import parquet
from talkdesk_bridge_tables._read import read
from talkdesk_bridge_tables._schema import SCHEMA, schema

__all__ = ["SCHEMA", "parquet", "read", "schema"]
