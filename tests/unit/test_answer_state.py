"""The answer in the making has one owner: others read it, and change it by its methods only."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from chatkit.types import ClientToolCallItem, StructuredInputFreeform, StructuredInputItem

from tests.unit.test_architecture import ROOT, sources
from turns.answer_state import AnswerState
from turns.approval_request import PendingApproval
from turns.clock import utc_now

OWNER = ROOT / "turns" / "answer_state.py"

PRIVATE = set(vars(AnswerState()))
PUBLIC = {name for name in dir(AnswerState) if not name.startswith("_")}
FIELDS = PRIVATE | PUBLIC

# Other classes have fields of these names too; of an answer they are changed by its methods.
CHANGING = {"add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update"}
SETTING = {"setattr", "delattr", "__setattr__", "__delattr__"}


def last_part(node: ast.expr) -> str | None:
    """Return the last name of an expression such as ``turn.context.answer``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what an assignment gives to what, one by one also for ``thread, answer = turn.thread, …``."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(target.elts, value.elts, strict=False)
    else:
        yield target, value


def names_of_answers(module: ast.Module) -> set[str]:
    """Return the names under which a file knows an answer: the usual two, those given to it, and typed arguments."""
    names = {"answer", "_answer"}
    for node in ast.walk(module):
        match node:
            case ast.Assign(targets=targets, value=value):
                given = [pair for target in targets for pair in pairs(target, value)]
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
                given = [(target, value)]
            case ast.arg(arg=name, annotation=ast.expr() as kind) if "AnswerState" in ast.unparse(kind):
                names.add(name)
                continue
            case _:
                continue
        names |= {name for to, value in given if last_part(value) in ("answer", "_answer") and (name := last_part(to))}
    return names


def changes(module: ast.Module) -> Iterator[str]:
    """Yield the places where a file changes an answer by something else than the answer's methods."""
    names = names_of_answers(module)

    def is_field(node: ast.expr) -> bool:
        match node:
            case ast.Attribute(value=ast.Attribute(value=value, attr="answer")) if last_part(value) == "context":
                return True  # whatever its name is: nobody adds a field either
            case ast.Attribute(value=value, attr=name):
                return last_part(value) in names and name in FIELDS
        return False

    for node in ast.walk(module):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                is_change = is_field(node)
            case ast.Subscript(value=value, ctx=ast.Store() | ast.Del()):
                is_change = is_field(value)
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in CHANGING and is_field(value):
                is_change = True
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[first, *_]) if name in SETTING:
                is_change = last_part(first) in names
            case _:
                is_change = False
        if is_change:
            yield f"{node.lineno}: {ast.unparse(node)}"


def test_only_its_own_file_changes_an_answer() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{place}"
        for path in sources()
        if path != OWNER and "answer" in (text := path.read_text())
        for place in changes(ast.parse(text))
    }
    assert found == set()


@pytest.mark.parametrize(
    "line",
    [
        "turn.context.answer.is_whole = True",
        "self.context.answer.tool_calls += 1",
        "context.answer.is_told = True",
        "self._answer.usage = {}",
        "error_id = context.answer.error_id = new_error_id()",
        "answer.question, other = item, None",
        "del answer.question",
        "answer.approvals[:] = []",
        "answer.approvals.clear()",
        "self._answer._failed_calls.add(call_id)",
        "self._answer.failed_calls |= {call_id}",
        "for context.answer.decided in requests: pass",
        "setattr(turn.context.answer, name, value)",
        "object.__setattr__(answer, 'texts', texts)",
        "state = context.answer\nstate.is_resumed = False",
        "thread, state = turn.thread, turn.context.answer\nstate.is_resumed = False",
        "self.state = context.answer\nself.state.texts = texts",
        "def stop(state: AnswerState): state._stop_reason = None",
    ],
)
def test_a_change_from_elsewhere_is_found(line: str) -> None:
    assert len([*changes(ast.parse(line))]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "turn.context.answer.mark_whole()",
        "usage = turn.context.answer.usage",
        "answer.inbox.put(event)",
        "self._answer = turn.context.answer",
        "self._answer.head_bytes += len(name)  # the answer of a provider",
        "state.texts = texts",
    ],
)
def test_reading_and_methods_are_not_changes(line: str) -> None:
    assert [*changes(ast.parse(line))] == []


def test_an_answer_has_no_public_field_and_no_property_that_can_be_set() -> None:
    assert {name for name in PRIVATE if not name.startswith("_")} == set()
    kinds = {name: vars(AnswerState)[name] for name in PUBLIC}
    assert {name for name, kind in kinds.items() if isinstance(kind, property) and kind.fset} == set()


# The rules that its methods hold.


def question(text: str) -> StructuredInputItem:
    asked = StructuredInputFreeform(id="q", question=text)
    return StructuredInputItem(id="msg_1", thread_id="thr_1", created_at=utc_now(), inputs=[asked])


def client_call(call_id: str) -> ClientToolCallItem:
    return ClientToolCallItem(
        id=f"tc_{call_id}", thread_id="thr_1", created_at=utc_now(), call_id=call_id, name="locate", arguments={}
    )


def approval(call_id: str) -> PendingApproval:
    return PendingApproval(call_id, "send_mail", "{}", "Send", None)


def test_an_answer_asks_once() -> None:
    answer = AnswerState()
    first = question("Where?")
    answer.ask(first)
    with pytest.raises(ValueError, match="once in an answer"):
        answer.ask(question("When?"))
    assert (answer.question, answer.is_paused) == (first, True)


def test_an_answer_waits_for_one_client_tool() -> None:
    answer = AnswerState()
    assert answer.wait_for_client_tool(client_call("1"))
    assert not answer.wait_for_client_tool(client_call("2"))
    assert answer.client_call is not None
    assert (answer.client_call.call_id, answer.is_paused) == ("1", True)


@pytest.mark.parametrize("has_asked", [False, True])
def test_the_model_asks_again_for_postponed_approvals_unless_the_person_is_asked(has_asked: bool) -> None:
    answer = AnswerState()
    answer.request_approval(approval("1"))
    if has_asked:
        answer.ask(question("Where?"))
    answer.postpone_approvals()
    assert (list(answer.approvals), answer.is_resumed) == ([], not has_asked)


def test_tokens_that_are_not_streamed_stay_in_the_sum() -> None:
    answer = AnswerState()
    answer.record_usage({"output_token_count": 3})
    answer.add_usage({"output_token_count": 10})
    answer.record_usage({"output_token_count": 5})
    assert answer.usage == answer.total_usage == {"output_token_count": 15}
    answer.record_title_usage({"output_token_count": 2})
    assert (answer.usage, answer.total_usage) == ({"output_token_count": 15}, {"output_token_count": 17})


def test_each_failure_has_an_id_of_its_own() -> None:
    answer = AnswerState()
    first, second = answer.mark_failed(), answer.mark_failed()
    assert first != second
    assert answer.error_id == second
