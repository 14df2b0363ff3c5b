"""Types of a TypeScript declaration file: as much of the language as `@openai/chatkit` writes its widgets in."""

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
        names: Primitive types and the aliases that stand here and are objects.
        literals: Texts, numbers and booleans that are types of their own.
        objects: Object types without a name.
        lists: Types of the elements, for each list that may stand here.
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
    """Return the types that a declaration file names.

    Raises:
        ParlorError: When it is written in more of the language than is understood; the message says where.
    """
    return _Parser(source).aliases()


class _Parser:
    def __init__(self, source: str) -> None:
        text = _COMMENT.sub(" ", source)
        self._tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(text)]
        if unknown := _TOKEN.sub("", text).strip():
            raise ParlorError(f"infra/typescript_types.py does not understand {unknown[:20]!r} in the types.")
        self._at = 0
        self._found: dict[str, Type] = {}
        # An alias may be used before it is declared.
        self._starts = {
            name: place + 3
            for place, ((_, word), (_, name), (_, mark)) in enumerate(
                zip(self._tokens, self._tokens[1:], self._tokens[2:], strict=False)
            )
            if word == "type" and mark == "="
        }

    def aliases(self) -> dict[str, Type]:
        for name in self._starts:
            self._alias(name)
        return self._found

    def _alias(self, name: str) -> Type:
        if name not in self._found:
            if name not in self._starts:
                raise ParlorError(f"infra/typescript_types.py: the types do not declare {name!r}.")
            before, self._at = self._at, self._starts[name]
            self._found[name] = self._union()
            self._expect(";")
            self._at = before
        return self._found[name]

    def _union(self) -> Type:
        self._skip("|")
        found = self._intersection()
        while self._skip("|"):
            found |= self._intersection()
        return found

    def _intersection(self) -> Type:
        found = self._postfix()
        while self._skip("&"):
            found = Type(objects=({**self._members(found), **self._members(self._postfix())},))
        return found

    def _postfix(self) -> Type:
        found = self._primary()
        while self._skip("[]"):
            found = Type(lists=(found,))
        return found

    def _primary(self) -> Type:
        kind, word = self._next()
        if kind == "text":
            return Type(literals=(word,))
        if word in ("true", "false"):
            return Type(literals=(word == "true",))
        if word == "(":
            found = self._union()
            self._expect(")")
            return found
        if word == "{":
            return Type(objects=(self._object(),))
        if word == "Pick":
            self._expect("<")
            members = self._members(self._union())
            self._expect(",")
            picked = self._union().literals
            self._expect(">")
            return Type(objects=({name: members[name] for name in members if name in picked},))
        if word == "Record":
            self._expect("<")
            self._union()
            self._expect(",")
            self._union()
            self._expect(">")
            return Type(names=("Record",))
        if kind != "name":
            raise ParlorError(f"infra/typescript_types.py does not understand {word!r} (token {self._at}).")
        return Type(names=(word,))

    def _object(self) -> dict[str, Member]:
        members: dict[str, Member] = {}
        while not self._skip("}"):
            name = self._next()[1]
            is_optional = self._skip("?")
            self._expect(":")
            members[name] = Member(self._union(), not is_optional)
            self._skip(";")
        return members

    def _members(self, of: Type) -> Mapping[str, Member]:
        return of.objects[0] if of.objects else self._members(self._alias(of.names[0]))

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ParlorError("infra/typescript_types.py: the types end in the middle of one.")
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, word: str) -> bool:
        is_there = self._at < len(self._tokens) and self._tokens[self._at][1] == word
        self._at += is_there
        return is_there

    def _expect(self, word: str) -> None:
        kind, found = self._next()
        if found != word or kind == "text":
            raise ParlorError(f"infra/typescript_types.py expected {word!r} and met {found!r} (token {self._at}).")
