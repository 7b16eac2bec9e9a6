"""Writes accounts' invoices as a Parquet file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import pyarrow.parquet as pq

from talkdesk_bridge_tables._schema import SCHEMA, Result, batches

ROW_GROUP = 32_768
"""Rows after which a row group ends, with the account that reaches this number."""


class _Parts(io.BytesIO):
    """A file that is taken away part by part while it is written."""

    taken = 0

    def tell(self) -> int:
        return self.taken + super().tell()

    def take(self) -> bytes:
        part = self.getvalue()
        self.taken += len(part)
        self.seek(0)
        self.truncate()
        return part


def parquet(results: Iterable[Result]) -> Iterator[bytes]:
    """The parts of a Parquet file with the invoices of accounts, compressed with zstd."""
    file = _Parts()
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for batch in batches(results, ROW_GROUP):
            writer.write_batch(batch, row_group_size=batch.num_rows)
            yield file.take()
    yield file.take()
