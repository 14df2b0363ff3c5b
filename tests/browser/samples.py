"""Sample items of every type, and options of the element, for the states and the tests."""

from __future__ import annotations

from typing import Any

from tests.browser.servers.scripted import assistant_item

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAA"
    "DUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='400' height='300'%3E"
    "%3Crect width='400' height='300' fill='%23468'/%3E%3C/svg%3E"
)


def item(kind: str, item_id: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": item_id, "thread_id": "thr_1", "created_at": "2026-11-20T10:00:00", **fields}


def widget(*children: dict[str, Any], item_id: str = "wi_1", **root: Any) -> dict[str, Any]:
    return item("widget", item_id, widget={"type": "Card", "id": "card", "children": list(children), **root})


URL_SOURCE = {"type": "url", "url": "https://example.org/rain", "title": "Rain in Bern", "description": "All of it."}
FILE_SOURCE = {"type": "file", "filename": "report.pdf", "title": "The report"}
ENTITY_SOURCE = {"type": "entity", "id": "e1", "title": "Ada", "icon": "user", "label": "Person", "interactive": True}
RICH_TEXT = """# A heading

Some **bold** words with a [link](https://example.org), `code` and *more*. Rain[.] falls.

- [x] done
- [ ] to do

> A quote of somebody.

| Day | Degrees |
| --- | ---: |
| Monday | 7 |

```python
def rain() -> str:
    return "wet"
```

1. one
2. two"""

QUESTION = item(
    "user_message",
    "usr_1",
    content=[
        {"type": "input_text", "text": "What about "},
        {"type": "input_tag", "id": "c1", "text": "Bern", "data": {}, "interactive": True},
        {"type": "input_text", "text": "?"},
    ],
    attachments=[
        {"type": "image", "id": "a1", "name": "map.png", "mime_type": "image/png", "preview_url": PIXEL},
        {"type": "file", "id": "a2", "name": "plan.pdf", "mime_type": "application/pdf"},
    ],
    inference_options={},
    quoted_text="What was said before.",
)
RICH_ANSWER = {
    **assistant_item(RICH_TEXT),
    "content": [
        {
            "type": "output_text",
            "text": RICH_TEXT,
            "annotations": [
                {"type": "annotation", "source": source, "index": 60} for source in (URL_SOURCE, FILE_SOURCE)
            ]
            + [{"type": "annotation", "source": ENTITY_SOURCE, "index": 70}],
        }
    ],
}
FORM = widget(
    {"type": "Title", "value": "Booking"},
    {
        "type": "Form",
        "onSubmitAction": {"type": "book"},
        "children": [
            {"type": "Label", "value": "Name", "fieldName": "name"},
            {"type": "Input", "name": "name", "required": True, "placeholder": "Your name"},
            {"type": "Label", "value": "Remarks", "fieldName": "remarks"},
            {"type": "Textarea", "name": "remarks"},
            {"type": "Label", "value": "City", "fieldName": "city"},
            {
                "type": "Select",
                "name": "city",
                "options": [{"label": "Bern", "value": "b"}, {"label": "Oslo", "value": "o"}],
            },
            {"type": "Label", "value": "Day", "fieldName": "day"},
            {"type": "DatePicker", "name": "day"},
            {"type": "Checkbox", "name": "ok", "label": "I agree"},
            {
                "type": "RadioGroup",
                "name": "size",
                "ariaLabel": "Size",
                "options": [{"label": "S", "value": "s"}, {"label": "L", "value": "l"}],
            },
            {"type": "Button", "label": "Book", "submit": True},
        ],
    },
)
FIELDS = widget(
    *(
        {"type": kind, "name": f"{kind} {variant}", "variant": variant, "options": [{"label": "Bern", "value": "b"}]}
        for variant in ("soft", "ghost")
        for kind in ("Input", "Textarea", "Select", "DatePicker")
    ),
    {"type": "Text", "value": "Words to change", "editable": {"name": "words"}},
    {"type": "Checkbox", "name": "on", "label": "It is on", "defaultChecked": True},
    {"type": "Input", "name": "off", "disabled": True, "placeholder": "Not now"},
)
PARTS_OF_WIDGETS = widget(
    {
        "type": "Row",
        "children": [{"type": "Badge", "label": "New", "color": "success"}, {"type": "Icon", "name": "sun"}],
    },
    {"type": "Caption", "value": "A caption"},
    {"type": "Text", "value": "Words", "color": "secondary"},
    {"type": "Button", "label": "Danger", "color": "danger", "onClickAction": {"type": "x"}},
    {"type": "Button", "label": "Soft", "variant": "soft", "onClickAction": {"type": "x"}},
    {
        "type": "Table",
        "children": [
            {
                "type": "Table.Row",
                "header": True,
                "children": [{"type": "Table.Cell", "children": [{"type": "Text", "value": "Day"}]}],
            },
            {
                "type": "Table.Row",
                "children": [{"type": "Table.Cell", "children": [{"type": "Text", "value": "Monday"}]}],
            },
        ],
    },
    {
        "type": "Chart",
        "xAxis": "day",
        "series": [{"type": "bar", "dataKey": "n", "label": "Rain"}],
        "data": [{"day": "Mon", "n": 3}, {"day": "Tue", "n": 5}],
    },
    confirm={"label": "Confirm", "action": {"type": "yes"}},
    cancel={"label": "Cancel", "action": {"type": "no"}},
    status={"text": "Ready", "icon": "check"},
)
LIST = item(
    "widget",
    "wi_2",
    widget={
        "type": "ListView",
        "id": "list",
        "limit": 2,
        "children": [
            {
                "type": "ListViewItem",
                "key": str(each),
                "onClickAction": {"type": "open"},
                "children": [{"type": "Text", "value": f"Row {each}"}],
            }
            for each in range(4)
        ],
    },
)
TASKS = [
    {"type": "custom", "title": "Read the map", "status_indicator": "complete", "content": "It is *large*."},
    {
        "type": "web_search",
        "title": "Looked around",
        "queries": ["rain bern"],
        "sources": [URL_SOURCE],
        "status_indicator": "loading",
    },
    {"type": "thought", "title": "Thought", "content": "Hm.", "status_indicator": "none"},
    {"type": "file", "title": "Files", "sources": [FILE_SOURCE], "status_indicator": "failed"},
]
QUESTIONS = item(
    "structured_input",
    "si_1",
    status="pending",
    inputs=[
        {
            "type": "multiple_choice",
            "id": "q1",
            "question": "Which day?",
            "options": [{"value": "Monday"}, {"value": "Tuesday"}],
        },
        {
            "type": "multiple_choice",
            "id": "q2",
            "question": "Which cities?",
            "multiple": True,
            "options": [{"value": "Bern"}, {"value": "Oslo"}],
        },
        {"type": "freeform", "id": "q3", "question": "Anything else?", "description": "In your own words."},
    ],
)
ANSWERED = {
    **QUESTIONS,
    "id": "si_2",
    "status": "answered",
    "inputs": [{**each, "answer": {"values": ["Monday"], "skipped": False}} for each in QUESTIONS["inputs"]],
}
TOOLS = """tools: [
    {id: 'web', label: 'Search the web', shortLabel: 'Web', icon: 'globe', pinned: true},
    {id: 'deep', label: 'Think long', icon: 'lightbulb'}]"""
MODELS = """models: [{id: 's', label: 'Small', description: 'Quick', default: true},
    {id: 'b', label: 'Big'}, {id: 'n', label: 'Not now', disabled: true}]"""
UPLOADS = "api: {uploadStrategy: {type: 'two_phase'}}, composer: {attachments: {enabled: true}}"
PEOPLE = """entities: {showComposerMenu: true, onTagSearch: async query => query === 'zz' ? [] : [
    {id: 'c1', title: 'Ada', group: 'People', icon: 'user'}, {id: 'c2', title: 'Bern', group: 'Places'}],
    onClick: () => {}, onRequestPreview: async () => ({preview: {type: 'Card', children: [
        {type: 'Title', value: 'Bern'}, {type: 'Text', value: 'A city.', color: 'secondary'}]}})}"""
COMMANDS = """commands: {enabled: true, onSearch: async () => [
    {id: 'x', label: 'Clear', description: 'Wipes the board', icon: 'reload'}], onSelect: async () => {}}"""
ACTIONS = "threadItemActions: {feedback: true, retry: true}"
