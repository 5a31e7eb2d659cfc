"""Follows a Pydantic error's location through the types and through the file at once.

A location names keys and positions, but also the chosen variant of each union, which stands nowhere in the file; only
the types tell one from the other.
"""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic import Tag as UnionTag
from pydantic.fields import FieldInfo

from tasks.definitions.tree import Items, Mapping, Mark, Node, Scalar


class Place(NamedTuple):
    """Where an error is.

    Args:
        mark: Its key in the file, or the nearest thing above that is there.
        path: Keys and positions, without union variants.
        node: What stands there, or None.
        annotation: The type that belongs there, or None where it is not known.
        owner: The model whose key it is.
        union_depth: Length of the path at which a choice between plain types was made, if one was.
    """

    mark: Mark
    path: tuple[str | int, ...]
    node: Node | None
    annotation: Any
    owner: type[BaseModel] | None
    union_depth: int | None

    @property
    def is_secret(self) -> bool:
        """Whether what stands there may hold a secret: passwords are pasted into addresses, too."""
        is_address = isinstance(self.node, Scalar) and "://" in self.node.text
        return is_address or any(_mentions(self.annotation, secret) for secret in (SecretStr, SecretBytes))


def locate(model: type[BaseModel], root: Mapping, location: tuple[str | int, ...]) -> Place:
    """Returns the place that a Pydantic error's location means."""
    place = Place(root.mark, (), root, model, None, None)
    for part in location:
        if part == "[key]":
            break
        place = _step(place, part)
    return place


def find(root: Mapping, where: tuple[str | int, ...]) -> Mark:
    """Returns where a path of keys and positions stands, or the nearest thing above it that is there."""
    place: tuple[Mark, Node] = root.mark, root
    for part in where:
        below = _child(place[1], part)
        if below is None:
            break
        place = below
    return place[0]


def _step(place: Place, part: str | int) -> Place:
    members = union_members(place.annotation)
    if len(members) > 1 and place.union_depth != len(place.path):
        chosen = next((member for member in members if part in tags_of(member)), None)
        return place._replace(union_depth=len(place.path)) if chosen is None else place._replace(annotation=chosen)
    annotation = members[0] if len(members) == 1 else None
    child = _child(place.node, part) if place.node is not None else None
    mark, node = child or (place.mark, None)
    return Place(
        mark, (*place.path, part), node, _annotation_below(annotation, part), _model(annotation), place.union_depth
    )


def _child(node: Node, part: str | int) -> tuple[Mark, Node] | None:
    if isinstance(node, Mapping) and part in node.entries:
        entry = node.entries[str(part)]
        return entry.key_mark, entry.value
    if isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
        return node.items[part].mark, node.items[part]
    return None


def _annotation_below(annotation: Any, part: str | int) -> Any:
    model = _model(annotation)
    if model is not None:
        field = field_of(model, str(part))
        return field.annotation if field else None
    arguments = get_args(annotation)
    if get_origin(annotation) is dict:
        return arguments[1]
    return arguments[0] if get_origin(annotation) in {tuple, list} and arguments else None


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Returns a model's fields by the keys that a file gives them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def field_of(model: type[BaseModel], key: str) -> FieldInfo | None:
    """Returns the field that a key of a file means."""
    return keys_of(model).get(key)


def union_members(annotation: Any) -> tuple[Any, ...]:
    """Returns the members of a union without None; of another type, that type; of nothing, nothing."""
    if annotation is None:
        return ()
    if get_origin(annotation) is Annotated:
        return union_members(get_args(annotation)[0])
    if _is_union(annotation):
        members = tuple(member for member in get_args(annotation) if member is not types.NoneType)
        return members if len(members) > 1 else union_members(members[0])
    return (annotation,)


def tags_of(member: Any) -> frozenset[str]:
    """Returns what a location may call a union's member: its explicit tag, or the values of its `kind`."""
    if get_origin(member) is Annotated:
        inner, *metadata = get_args(member)
        explicit = frozenset(one.tag for one in metadata if isinstance(one, UnionTag))
        return explicit or tags_of(inner)
    model = _model(member)
    kind: FieldInfo | None = model.model_fields.get("kind") if model else None
    return frozenset(get_args(kind.annotation)) if kind and get_origin(kind.annotation) is Literal else frozenset()


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in {Union, types.UnionType}


def _model(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) is Annotated:
        return _model(get_args(annotation)[0])
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _mentions(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or any(_mentions(argument, wanted) for argument in get_args(annotation))
