"""Shows what applying a file of blocks did, or would do."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape

from deployments.block_files.applying import AppliedFile
from deployments.block_files.comparing import FieldChange

_MARKS = {"create": "[green]+[/]", "update": "[yellow]~[/]", "unchanged": "[dim]=[/]"}
_DONE = {"create": "created", "update": "updated", "unchanged": "unchanged"}
_TO_DO = {"create": "to create", "update": "to update", "unchanged": "unchanged"}


def print_applied(applied: AppliedFile, *, as_json: bool) -> None:
    """Prints one line a block and one a changed field; no secret is among them."""
    if as_json:
        print(applied.model_dump_json(indent=2))
        return
    from deployments.display import console

    out = console()
    words = _TO_DO if applied.is_dry_run else _DONE
    for change in applied.blocks:
        out.print(f"{_MARKS[change.action]} {escape(change.block)}: {words[change.action]}", soft_wrap=True)
        for field in change.fields:
            out.print(f"    {escape(_line(field, is_new=change.action == 'create'))}", soft_wrap=True)
    for name in applied.missing:
        out.print(f"[bold red]x[/] {escape(name)}: the platform names it; it is neither in the file nor in Prefect")
    counts: Counter[str] = Counter(change.action for change in applied.blocks)
    out.print(", ".join(f"{counts[action]} {word}" for action, word in words.items()) + "; nothing is ever deleted")


def _line(field: FieldChange, *, is_new: bool) -> str:
    if field.is_hidden:
        return f"{field.field}: {'set' if is_new else 'changed'} (not shown)"
    after = "nothing" if field.after is None else field.after
    if is_new:
        return f"{field.field}: {after}"
    return f"{field.field}: {'nothing' if field.before is None else field.before} -> {after}"
