"""What differs between a block as a file says it and as Prefect has it; secrets are compared and never shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from blocks.prefect_failures import asking_prefect
from deployments.block_files.types import nested_types, secret_paths
from penstock.spec import Artifact

if TYPE_CHECKING:
    from prefect.blocks.core import Block
    from prefect.client.schemas import BlockDocument

    from deployments.block_files.reading import ReadBlock

_OBFUSCATED = "********"
_ABSENT = object()


class FieldChange(Artifact):
    """One field that differs. Both values are None where they are secret or came from the environment."""

    field: str
    before: str | None = None
    after: str | None = None
    is_hidden: bool = False


class BlockChange(Artifact):
    """What applying a file does to one block."""

    block: str
    action: Literal["create", "update", "unchanged"]
    fields: tuple[FieldChange, ...] = ()


class KeptBlock(NamedTuple):
    """A block as Prefect has it."""

    document: BlockDocument
    block: Block | None


def find_kept(read: ReadBlock) -> KeptBlock | None:
    """Returns the block that Prefect has under this name, secrets included, or None.

    Its settings may be those of an older version of its type and no longer make a block.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound

    with asking_prefect(block=read.reference.block), get_client(sync_client=True) as client:
        try:
            document = client.read_block_document_by_name(read.reference.name, read.reference.type)
        except ObjectNotFound:
            return None
    try:
        return KeptBlock(document, read.type.model_validate(document.data))
    except ValidationError:
        return KeptBlock(document, None)


def compare(read: ReadBlock, block: Block, kept: KeptBlock | None) -> BlockChange:
    """Returns what has to change in Prefect for it to have the block as the file says it."""
    name = read.reference.block
    after = _flat(_settings(block, _own_references(read)))
    if kept is None:
        given = tuple(one for one in _differences(read, {}, after) if one.field.split(".")[0] in read.values)
        return BlockChange(block=name, action="create", fields=given)
    references = _kept_references(kept.document)
    before = _flat(_settings(kept.block, references) if kept.block is not None else dict(kept.document.data))
    fields = tuple(_differences(read, before, after))
    return BlockChange(block=name, action="update" if fields else "unchanged", fields=fields)


def _settings(block: Block, references: Mapping[str, str]) -> dict[str, Any]:
    """Returns a block's settings by field, with secrets, and with the names of other blocks in their place.

    Prefect's own dump with secrets makes the type's JSON Schema anew for each field, a third of a second a block.
    """
    return {
        key: references.get(key) if nested_types(field.annotation) else _revealed(getattr(block, name))
        for key, name, field in _named_fields(type(block))
    }


def _named_fields(model: type[BaseModel]) -> Iterator[tuple[str, str, FieldInfo]]:
    return ((field.alias or name, name, field) for name, field in model.model_fields.items())


def _revealed(value: Any) -> Any:
    if hasattr(value, "get_secret_value"):
        return _revealed(value.get_secret_value())
    if isinstance(value, BaseModel):
        return {key: _revealed(getattr(value, name)) for key, name, _ in _named_fields(type(value))}
    if isinstance(value, Mapping):
        return {str(key): _revealed(below) for key, below in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_revealed(below) for below in value]
    return value.decode(errors="replace") if isinstance(value, bytes) else to_jsonable_python(value, fallback=str)


def _own_references(read: ReadBlock) -> dict[str, str]:
    from penstock.platform import BlockRef

    return {str(path[0]): one.block for path, one in read.references.items() if isinstance(one, BlockRef)}


def _kept_references(document: BlockDocument) -> dict[str, str]:
    found = {}
    for field, reference in document.block_document_references.items():
        kept = reference.get("block_document", {})
        slug = (kept.get("block_type") or {}).get("slug")
        found[field] = f"{slug}/{kept.get('name')}"
    return found


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Returns nested mappings as one, with dotted keys."""
    flat: dict[str, Any] = {}
    for key, below in value.items():
        path = f"{above}.{key}" if above else key
        flat |= _flat(below, path) if isinstance(below, Mapping) and below else {path: below}
    return flat


def _differences(read: ReadBlock, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    secrets = secret_paths(read.type) | read.hidden
    for path in dict.fromkeys([*after, *before]):
        old, new = before.get(path, _ABSENT), after.get(path, _ABSENT)
        if _plain(old) == _plain(new):
            continue
        if _is_hidden(path, secrets):
            yield FieldChange(field=path, is_hidden=True)
        else:
            yield FieldChange(field=path, before=_shown(old), after=_shown(new))


def _plain(value: Any) -> Any:
    """Returns what makes two values equal: nothing is nothing, however it is written."""
    if value is _ABSENT or value in (None, {}, []):
        return None
    # What Prefect hides from an API key that may not see secrets is not known, so it counts as another value.
    return _ABSENT if value == _OBFUSCATED else value


def _is_hidden(path: str, secrets: set[str] | frozenset[str]) -> bool:
    return any(path == one or path.startswith(f"{one.removesuffix('.*')}.") for one in secrets)


def _shown(value: Any) -> str | None:
    return None if _plain(value) is None else str(value)
