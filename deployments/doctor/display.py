"""Shows what the doctor found: a table, then what to do."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich.markup import escape

from deployments.doctor.side_by_side import CheckResult

_MARKS = {"failed": "[bold red]x[/]", "doubtful": "[yellow]![/]"}


def print_examined(platform: str, results: Sequence[CheckResult], *, as_json: bool) -> None:
    """Prints one row a check, and below what is wrong with those that are not well."""
    if as_json:
        checks = [result.model_dump(mode="json") for result in results]
        is_well = all(result.outcome != "failed" for result in results)
        print(json.dumps({"platform": platform, "ok": is_well, "checks": checks}, indent=2))
        return
    from deployments.display import console, print_table

    rows = [(one.check, one.target, one.outcome, one.seconds, one.seen) for one in results]
    print_table(f"platform {platform}", ("check", "what", "outcome", "seconds", "seen"), rows)
    out = console()
    for one in results:
        if one.outcome in _MARKS:
            out.print(f"{_MARKS[one.outcome]} {escape(one.check)}: {escape(one.error or one.seen)}", soft_wrap=True)
            if one.guidance:
                out.print(f"  {escape(one.guidance)}", soft_wrap=True)
