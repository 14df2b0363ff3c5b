"""A parser for TypeScript declaration files, limited to the syntax that `@openai/chatkit` uses for its widgets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from errors import ParlorError

_TOKEN = re.compile(
    r"'(?P<text>[^']*)'|(?P<name>[A-Za-z_]\w*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark>\[\]|[{}()<>|&;:,?=])"
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Member:
    """A property of an object type.

    Attributes:
        type: Type of its values.
        is_required: Whether the property may not be left out.
    """

    type: Type
    is_required: bool


@dataclass(frozen=True, slots=True)
class Type:
    """A type: a union of names, literals, objects and lists.

    Attributes:
        names: Primitive types and aliases.
        literals: Literal types: texts, numbers and booleans.
        objects: Anonymous object types.
        lists: Element types of the list types.
    """

    names: tuple[str, ...] = ()
    literals: tuple[str | bool, ...] = ()
    objects: tuple[Mapping[str, Member], ...] = ()
    lists: tuple[Type, ...] = field(default=())

    def __or__(self, other: Type) -> Type:
        return Type(
            (*self.names, *(name for name in other.names if name not in self.names)),
            (*self.literals, *(each for each in other.literals if each not in self.literals)),
            (*self.objects, *other.objects),
            (*self.lists, *other.lists),
        )


def parse_types(source: str) -> dict[str, Type]:
    """Return the type aliases of a declaration file, by name.

    Raises:
        ParlorError: When the file uses unsupported syntax; the message names the place.
    """
    return _Parser(source).parse_aliases()


class _Parser:
    def __init__(self, source: str) -> None:
        text = _COMMENT.sub(" ", source)
        self._tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)]
        if unknown := _TOKEN.sub("", text).strip():
            raise ParlorError(f"infra/typescript_types.py does not understand {unknown[:20]!r} in the types.")
        self._at = 0
        self._aliases: dict[str, Type] = {}
        # Aliases can be used before they are declared.
        self._starts = {
            name: place + 3
            for place, ((_, word), (_, name), (_, mark)) in enumerate(
                zip(self._tokens, self._tokens[1:], self._tokens[2:], strict=False)
            )
            if word == "type" and mark == "="
        }

    def parse_aliases(self) -> dict[str, Type]:
        for name in self._starts:
            self._parse_alias(name)
        return self._aliases

    def _parse_alias(self, name: str) -> Type:
        if name not in self._aliases:
            if name not in self._starts:
                raise ParlorError(f"infra/typescript_types.py: the types do not declare {name!r}.")
            before, self._at = self._at, self._starts[name]
            self._aliases[name] = self._parse_union()
            self._expect(";")
            self._at = before
        return self._aliases[name]

    def _parse_union(self) -> Type:
        self._accept("|")
        union = self._parse_intersection()
        while self._accept("|"):
            union |= self._parse_intersection()
        return union

    def _parse_intersection(self) -> Type:
        type_ = self._parse_postfix()
        while self._accept("&"):
            type_ = Type(objects=({**self._members_of(type_), **self._members_of(self._parse_postfix())},))
        return type_

    def _parse_postfix(self) -> Type:
        type_ = self._parse_primary()
        while self._accept("[]"):
            type_ = Type(lists=(type_,))
        return type_

    def _parse_primary(self) -> Type:
        kind, word = self._next_token()
        if kind == "text":
            return Type(literals=(word,))
        if word in ("true", "false"):
            return Type(literals=(word == "true",))
        if word == "(":
            union = self._parse_union()
            self._expect(")")
            return union
        if word == "{":
            return Type(objects=(self._parse_object(),))
        if word == "Pick":
            self._expect("<")
            members = self._members_of(self._parse_union())
            self._expect(",")
            picked = self._parse_union().literals
            self._expect(">")
            return Type(objects=({name: members[name] for name in members if name in picked},))
        if word == "Record":
            self._expect("<")
            self._parse_union()
            self._expect(",")
            self._parse_union()
            self._expect(">")
            return Type(names=("Record",))
        if kind != "name":
            raise ParlorError(f"infra/typescript_types.py does not understand {word!r} (token {self._at}).")
        return Type(names=(word,))

    def _parse_object(self) -> dict[str, Member]:
        members: dict[str, Member] = {}
        while not self._accept("}"):
            name = self._next_token()[1]
            is_optional = self._accept("?")
            self._expect(":")
            members[name] = Member(self._parse_union(), not is_optional)
            self._accept(";")
        return members

    def _members_of(self, type_: Type) -> Mapping[str, Member]:
        return type_.objects[0] if type_.objects else self._members_of(self._parse_alias(type_.names[0]))

    def _next_token(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ParlorError("infra/typescript_types.py: the types end in the middle of one.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, word: str) -> bool:
        is_there = self._at < len(self._tokens) and self._tokens[self._at][1] == word
        self._at += is_there
        return is_there

    def _expect(self, word: str) -> None:
        kind, actual = self._next_token()
        if actual != word or kind == "text":
            raise ParlorError(f"infra/typescript_types.py expected {word!r} and met {actual!r} (token {self._at}).")
