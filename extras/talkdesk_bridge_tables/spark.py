"""Invoices of many accounts on a Spark cluster. pyspark is the cluster's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema
from talkdesk_bridge import BridgeClient, Retry, errors

from talkdesk_bridge_tables import SCHEMA, read

__all__ = ["invoices", "patient_client"]

# Spark repeats a failed task at once and as a whole, four times, so a task waits longer than other callers would.
PATIENCE = Retry(seconds=900.0, retry_after_max=600.0)


def patient_client() -> BridgeClient:
    """A client from the environment variables of the executor, which retries for up to 15 minutes."""
    return BridgeClient.from_env(retry=PATIENCE)


def invoices(
    accounts: DataFrame,
    *,
    tasks: int,
    requests: int,
    permissive: bool = True,
    per_page: int | None = None,
    make: Callable[[], BridgeClient] = patient_client,
) -> DataFrame:
    """The invoices of accounts, with the columns of `talkdesk_bridge_tables.SCHEMA`.

    Each account is requested once, however often it is named. Each action on the result requests all accounts again:
    write it first. Turn `spark.speculation` off, because it would run tasks twice.

    Args:
        accounts: The accounts, in the first column; numbers become text, and null is left out.
        tasks: The number of Spark tasks. Advice: the number of cores that the job has.
        requests: The number of requests at a time in the whole cluster. Each task has an equal share of them.
        permissive: Whether an account that fails becomes one row with `error`, instead of failing the job.
        per_page: Invoices per page; None for the bridge's default.
        make: Makes the client in each task. URL and credential come from the environment of the executors, so that
            they are no part of the job.

    Raises:
        ArgumentError: there are fewer requests than tasks, so that a task would have none.

    """
    if not 1 <= tasks <= requests:
        raise errors.ArgumentError(f"tasks must be from 1 to the number of requests, {requests}.")
    (name, *_), key = accounts.columns, SCHEMA.names[0]
    column = f"`{name.replace('`', '``')}`"
    named = accounts.selectExpr(f"cast({column} as string) as {key}").where(f"{key} is not null")
    at_once = min(requests // tasks, 100)
    listed = partial(_invoices, make=make, at_once=at_once, per_page=per_page, permissive=permissive)
    # The accounts of one task are also those that dropDuplicates compares, so that they are moved only once.
    return named.repartition(tasks, key).dropDuplicates().mapInArrow(listed, from_arrow_schema(SCHEMA))


def _invoices(batches: Iterator[pa.RecordBatch], **options: object) -> Iterator[pa.RecordBatch]:
    accounts = chain.from_iterable(batch.column(0).to_pylist() for batch in batches)
    with read(accounts, **options) as reader:  # type: ignore[arg-type] # the options of `invoices`
        yield from reader
