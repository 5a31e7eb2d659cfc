"""Which failures of a dbt node another try may mend."""

from __future__ import annotations

import re

from penstock.report import NodeReport

_OF_THE_PROJECT = ("Compilation Error", "Parsing Error", "Dependency Error", "Contract Error")
"""How dbt's messages begin where the project itself is wrong."""

_OF_SQL_OR_DATA = re.compile(
    r"""
      enforced\ contract\ that\ failed
    # DuckDB names its kinds of errors.
    | \b(Binder|Catalog|Constraint|Conversion|Invalid\ Input|Out\ of\ Range|Parser|Syntax|Mismatch\ Type)\ Error
    # PostgreSQL's messages of the classes 22 (data), 23 (constraints) and 42 (SQL), whose codes dbt leaves out.
    | invalid\ input\ syntax | division\ by\ zero | out\ of\ range | value\ too\ long | violates\ .*\ constraint
    | syntax\ error\ at | \b(relation|column|function|schema|type)\ .*\ does\ not\ exist | permission\ denied\ for
    # Snowflake's numbers of SQL that does not compile, and of values that do not fit.
    | SQL\ compilation\ error | \b(001003|002003|100035|100038|100046|100051|100078)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What the same SQL over the same data brings again."""


def may_pass(node: NodeReport) -> bool:
    """Returns whether a failed node may succeed when it is built again as it is.

    A failed test has found bad data, and an error of SQL or of a value comes again. What is left are connections,
    locks, memory, files that come late, and what nobody has thought of.
    """
    if not node.has_failed or node.status == "fail":
        return False
    message = (node.message or "").lstrip()
    return not message.startswith(_OF_THE_PROJECT) and not _OF_SQL_OR_DATA.search(message)
