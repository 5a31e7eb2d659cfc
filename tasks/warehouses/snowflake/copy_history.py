"""What Snowflake itself remembers of a load's files, kept beside the ledger: rows and the first error of each."""

from __future__ import annotations

import logging

from tasks.warehouses.snowflake.load_state import LoadState
from tasks.warehouses.snowflake.quoting import literal
from tasks.warehouses.snowflake.templates import statement

_logger = logging.getLogger(__name__)


def keep_copy_history(state: LoadState) -> None:
    """Keeps what COPY_HISTORY tells of the landing table, before it is dropped; a load never fails for lack of it."""
    from snowflake.connector import errors

    values = {"batch_id": literal(state.plan.batch_id), "landing": literal(state.names.landing.upper())}
    try:
        state.sql.run(statement("copy_history", "keep", values))
    except errors.Error as error:
        _logger.info("COPY_HISTORY told nothing of batch %s (%s)", state.plan.batch_id, type(error).__name__)
