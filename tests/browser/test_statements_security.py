"""Statements 157 to 168: untrusted content of servers, models, people and pages is never executed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chat import RECORDER, expect_clipboard
from tests.browser.samples import TASKS, item, widget
from tests.browser.servers.scripted import (
    Answer,
    Gate,
    ScriptedServer,
    Stream,
    assistant_item,
    message_events,
    text_delta,
    user_item,
)
from tests.browser.stage import Stage

INSPECTIONS = Path(__file__).parent / "inspections"
PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
MARKUP = [
    "<img src=x onerror=pwn()>",
    "<img src=`x`onerror=pwn()>",
    "<img/src/onerror=pwn()>",
    '"><script>pwn()</script>',
    "<script\x0c>pwn()</script >",
    "<svg onload=pwn()>",
    "<svg><script href='data:,pwn()'/>",
    "<svg><a xlink:href='javascript:pwn()'><text y=9>x</text></a></svg>",
    "<svg><animate onbegin=pwn() attributeName=x dur=1s>",
    "<svg><set attributeName=href to=javascript:pwn()></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=pwn()>#x'></svg>",
    "<svg><foreignObject><iframe srcdoc='<script>parent.pwn()</script>'></foreignObject></svg>",
    "<svg><style>@import 'https://evil.example/x.css';</style></svg>",
    "<math href='javascript:pwn()'>x</math>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=pwn()&gt;'>",
    "<math><annotation-xml encoding='text/html'><img src=x onerror=pwn()></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=pwn()>",
    "<noscript><p title='</noscript><img src=x onerror=pwn()>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=pwn()>'>",
    "<select><template><img src=x onerror=pwn()></template></select>",
    "<template shadowrootmode=open><script>pwn()</script></template>",
    "<textarea></textarea><img src=x onerror=pwn()>",
    "<xmp><p title='</xmp><img src=x onerror=pwn()>'>",
    "<plaintext><img src=x onerror=pwn()>",
    "<table><td background='javascript:pwn()'><tr><img src=x onerror=pwn()>",
    "<a id=pwn href='java&#10;script:pwn()'>x</a><form id=chat><input name=shadowRoot>",
    "<base href='https://evil.example/'><link rel=stylesheet href='https://evil.example/x.css'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<iframe src='javascript:parent.pwn()'></iframe><object data='javascript:pwn()'></object><embed src=x>",
    "<video><source onerror=pwn()></video><audio src=x onerror=pwn()>",
    "<details open ontoggle=pwn()><summary>x</summary></details>",
    "<input autofocus onfocus=pwn()><button popovertarget=x onclick=pwn()>x</button>",
    "<div style='position:fixed;inset:0;background:url(https://evil.example/x.png)'>x</div>",
    "<div style=animation-name:x onanimationstart=pwn()>x</div>",
    "<dialog open><marquee onstart=pwn()>x</marquee></dialog>",
    "<custom-element><slot onslotchange=pwn()></slot></custom-element><parlor-markdown text='x'></parlor-markdown>",
    "&lt;img src=x onerror=pwn()&gt; &#60;script&#62;pwn()&#60;/script&#62;",
    "{{constructor.constructor('pwn()')()}} ${pwn()} <%= pwn() %> #{pwn()}",
    "<?lit$123$><!--?lit$123$--><!--><script>pwn()</script>-->",
    "<![CDATA[<script>pwn()</script>]]> <?xml version='1.0'?><script>pwn()</script>",
    "\u202e<b onclick=pwn()>x</b>\u0000\ufeff",
    'x\' onclick=\'pwn()\' y="" onfocus="pwn()" `onerror=pwn()`',
]
ADDRESSES = [
    "javascript:pwn()",
    "JaVaScRiPt:pwn()",
    " javascript:pwn()",
    "java\tscript:pwn()",
    "java\nscript:pwn()",
    "java\rscript:pwn()",
    "\x01javascript:pwn()",
    "\x00javascript:pwn()",
    "java\u200bscript:pwn()",
    "\u2028javascript:pwn()",
    "\u00a0javascript:pwn()",
    "\u3000javascript:pwn()",
    "\ufeffjavascript:pwn()",
    "javascript\t:pwn()",
    "javascript&colon;pwn()",
    "javascript&#58;pwn()",
    "&#106;avascript:pwn()",
    "&#x6A;avascript:pwn()",
    "javascript%3Apwn()",
    "javascript://%0apwn()",
    "javascript:javascript:pwn()",
    "vbscript:pwn()",
    "data:text/html,<script>parent.pwn()</script>",
    "DATA:text/html;base64,PHNjcmlwdD4=",
    "data:image/svg+xml,<svg onload=pwn()>",
    "data:,x",
    "blob:https://evil.example/x",
    "filesystem:http://x/y",
    "file:///etc/passwd",
    "view-source:x",
    "about:blank",
    "ws://evil.example",
    "intent://x#Intent;end",
    "ms-word:x",
    "chrome://settings",
    "feed:javascript:pwn()",
    "jar:javascript:pwn()!",
    "x-javascript:pwn()",
    "mocha:pwn()",
    "livescript:pwn()",
    "mhtml:x",
]
FORMULAS = [
    r"$$\href{javascript:pwn()}{x}$$",
    r"$$\url{javascript:pwn()}$$",
    r"$$\includegraphics{https://evil.example/x.png}$$",
    r"$$\htmlClass{evil}{x} \htmlId{chat}{x}$$",
    r"$$\htmlStyle{position: fixed; inset: 0; background: url(https://evil.example/x)}{x}$$",
    r"$$\htmlData{onclick=pwn()}{x}$$",
    r"$$\text{<img src=x onerror=pwn()>}$$",
    r"$$\def\a{\a\a}\a$$",
    r"$$\rule{999999em}{999999em}$$",
    r"$$\kern{-99999em} x \raisebox{99999em}{y}$$",
    r"$$\unicode{x3C}script\unicode{x3E}$$",
    r"$$\color{red;position:fixed}{x} \textcolor{url(https://evil.example)}{x}$$",
]
STYLES = [
    "url(https://evil.example/x.png)",
    "image-set('https://evil.example/x.png' 1x)",
    "expression(pwn())",
    "-moz-binding:url(x)",
    "red;position:fixed",
    "red}*{display:none",
    "red/**/;inset:0",
    "@import 'https://evil.example/x.css'",
    "var(--x,url(https://evil.example/x))",
    "attr(title)",
    "\\75rl(https://evil.example/x.png)",
    "u\\rl(https://evil.example/x.png)",
    'image("https://evil.example/x")',
    "cross-fade(url(https://evil.example/x),red)",
    "element(#x)",
    "paint(x)",
    "env(x)",
    "src('https://evil.example/x')",
    "linear-gradient(red,blue),url(https://evil.example/x.png)",
    "100px !important",
]

LOOK = (INSPECTIONS / "harm.js").read_text(encoding="utf-8")


@pytest.fixture
def stage(page: Page, scripted: ScriptedServer) -> Iterator[Stage]:
    """The guard of every test fails on a request to another origin and on a violation of the page's policy."""
    page.add_init_script(RECORDER)
    page.add_init_script(
        "window.pwned = 0; window.pwn = () => { window.pwned += 1 }; window.violations = [];"
        "document.addEventListener('securitypolicyviolation', e => violations.push(e.blockedURI))"
    )
    stage = Stage(page, scripted)
    stage.open()
    yield stage
    assert page.evaluate("violations") == []


def expect_no_harm(stage: Stage) -> None:
    stage.page.evaluate(
        "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30))))"
    )
    assert stage.page.evaluate(LOOK) == []


def unfold(stage: Stage) -> None:
    """Open whatever is folded: sources, steps."""
    folded = stage.chat.element.locator("parlor-sources [aria-expanded=false], parlor-workflow [aria-expanded=false]")
    folded.evaluate_all("buttons => buttons.forEach(button => button.click())")


def items_with_text(text: str, at: int) -> list[dict[str, Any]]:
    """Return items with this text in every field that somebody else can write."""
    tag = {"type": "input_tag", "id": text, "text": text, "data": {text: text}, "group": text, "interactive": True}
    url = {
        "type": "url",
        "url": "https://a.example",
        "title": text,
        "description": text,
        "attribution": text,
        "group": text,
        "timestamp": text,
    }
    entity = {
        "type": "entity",
        "id": text,
        "title": text,
        "label": text,
        "inline_label": text,
        "icon": text,
        "interactive": at % 2 == 0,
    }
    annotations = [
        {"type": "annotation", "source": source, "index": 3}
        for source in (url, {"type": "file", "filename": text, "title": text}, entity)
    ]
    tasks = [
        {**task, "title": text, "content": text, "queries": [text], "icon": text, "sources": [url]} for task in TASKS
    ]
    option = {"label": text, "value": text, "description": text}
    fields = [
        {"type": "Title", "value": text, "id": text, "key": text},
        {"type": "Text", "value": text, "editable": {"name": text, "placeholder": text}},
        {"type": "Caption", "value": text},
        {"type": "Markdown", "value": text},
        {"type": "Badge", "label": text, "color": text},
        {"type": "Icon", "name": text},
        {
            "type": "Image",
            "src": "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
            "alt": text,
            "fit": text,
            "position": text,
        },
        {"type": "Button", "label": text, "iconStart": text, "onClickAction": {"type": text, "payload": {text: text}}},
        {"type": "Label", "value": text, "fieldName": text},
        {"type": "Input", "name": text, "placeholder": text, "defaultValue": text, "inputType": text, "pattern": text},
        {"type": "Textarea", "name": f"t{text}", "placeholder": text, "defaultValue": text, "pattern": text},
        {"type": "Select", "name": f"s{text}", "placeholder": text, "options": [option]},
        {"type": "RadioGroup", "name": f"r{text}", "ariaLabel": text, "options": [option]},
        {"type": "Checkbox", "name": f"c{text}", "label": text},
        {"type": "DatePicker", "name": f"d{text}", "defaultValue": text, "placeholder": text},
        {
            "type": "Table",
            "children": [
                {
                    "type": "Table.Row",
                    "children": [{"type": "Table.Cell", "children": [{"type": "Text", "value": text}]}],
                }
            ],
        },
        {
            "type": "Chart",
            "xAxis": {"dataKey": "x", "labels": {text: text}},
            "data": [{"x": text, "y": 1}],
            "series": [{"type": "bar", "dataKey": "y", "label": text, "color": text}],
        },
        {"type": text, "value": text, "children": [{"type": "Text", "value": text}]},
    ]
    question = {
        "type": "multiple_choice",
        "id": text,
        "question": text,
        "options": [{"value": text}],
        "answer": {"values": [text]},
    }
    attachment = {
        "type": "image",
        "id": f"a{at}",
        "name": text,
        "mime_type": text,
        "preview_url": "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    }
    return [
        {
            **user_item(text, f"u{at}"),
            "content": [{"type": "input_text", "text": text}, tag],
            "quoted_text": text,
            "attachments": [attachment, {**attachment, "type": "file"}],
        },
        {
            **assistant_item(text, f"m{at}"),
            "content": [{"type": "output_text", "text": text, "annotations": annotations}],
        },
        item(
            "workflow",
            f"w{at}",
            workflow={"type": "custom", "tasks": tasks, "expanded": True, "summary": {"title": text, "icon": text}},
        ),
        item("task", f"t{at}", task=tasks[0]),
        widget(
            *fields,
            item_id=f"x{at}",
            status={"text": text, "icon": text, "favicon": "data:image/gif;base64,R0lGODlhAQABAAAAACw="},
            confirm={"label": text, "action": {"type": text}},
            copy_text=text,
        ),
        item("structured_input", f"q{at}", status="answered", inputs=[question]),
    ]


@pytest.mark.parametrize("part", range(3))
def test_markup_in_any_field_of_a_thread_stays_text(stage: Stage, part: int) -> None:
    texts = MARKUP[part::3]
    stage.show(
        *(each for at, text in enumerate(texts) for each in items_with_text(text, at)), thread={"title": texts[0]}
    )
    expect(stage.chat.widgets).to_have_count(len(texts))
    unfold(stage)
    expect_no_harm(stage)


def test_markup_in_options_notices_progress_and_lists_stays_text(stage: Stage) -> None:
    script = [*message_events("")[:2]]
    for text in MARKUP:
        script += [
            {"type": "notice", "level": text, "title": text, "message": text},
            {"type": "progress_update", "text": text, "icon": text},
        ]
    script += [
        {
            "type": "thread.updated",
            "thread": {"id": "thr_1", "title": MARKUP[5], "status": {"type": "locked", "reason": MARKUP[0]}},
        }
    ]
    script += [{"type": "error", "code": "custom", "message": "".join(MARKUP), "allow_retry": True}]
    stage.server.on("threads.create", Stream(script))
    rows = [{"id": f"thr_{at}", "title": text, "status": {"type": "active"}} for at, text in enumerate(MARKUP)]
    stage.server.on("threads.list", Answer({"data": rows, "has_more": False}))
    stage.page.evaluate(
        """async texts => {
            await begin({
                frameTitle: texts[0], header: {leftAction: {icon: texts[0], onClick() {}}},
                startScreen: {greeting: texts[3],
                    prompts: texts.map(text => ({label: text, prompt: text, icon: text}))},
                disclaimer: {text: texts.join('\\n\\n')},
                composer: {placeholder: texts[1],
                    tools: texts.map((text, at) => ({id: text, label: text, shortLabel: text, icon: text,
                        placeholderOverride: text, pinned: at % 2 === 0})),
                    models: texts.map(text => ({id: text, label: text, description: text}))},
                entities: {showComposerMenu: true, onTagSearch: async () => texts.map(text =>
                    ({id: text, title: text, group: text, icon: text, data: {x: text}}))},
                commands: {enabled: true, onSearch: async () => texts.map(text =>
                    ({id: text, label: text, description: text, icon: text, group: text}))},
            });
        }""",
        MARKUP,
    )
    expect_no_harm(stage)
    for trigger in ("@", "/"):
        stage.chat.composer.fill("")
        stage.chat.composer.press_sequentially(trigger)
        expect(stage.chat.element.get_by_role("option").nth(len(MARKUP) - 1)).to_be_attached()
        expect_no_harm(stage)
        stage.page.keyboard.press("Escape")
    for menu in stage.chat.element.locator("parlor-menu-button button.opener").all():
        menu.evaluate("button => button.click()")
        expect(stage.chat.element.get_by_role("menu")).to_be_visible()
        expect_no_harm(stage)
        stage.page.keyboard.press("Escape")
    stage.chat.composer.fill("hi")
    stage.chat.composer.press("Enter")
    expect(stage.chat.element.get_by_role("alert").filter(has_text="pwn")).to_be_visible()
    stage.chat.wait_until_idle()
    expect(stage.chat.element.locator("[part~=notice]").nth(9)).to_be_attached()
    expect_no_harm(stage)
    stage.page.evaluate("chat.showHistory()")
    expect(stage.chat.history.get_by_role("listitem")).to_have_count(len(MARKUP))
    expect_no_harm(stage)


def test_no_address_of_a_server_or_model_runs_or_leaves_its_scheme(stage: Stage) -> None:
    def linked(url: str, at: int) -> list[dict[str, Any]]:
        source = {"type": "url", "url": url, "title": f"Source {at}"}
        text = f"[a](<{url}>) [b]({url}) <{url}> ![c](<{url}>) ![d]({url}) [e][r{at}]\n\n[r{at}]: {url}"
        image = {"type": "image", "id": f"a{at}", "name": "x", "mime_type": "image/png", "preview_url": url}
        return [
            {**user_item("x", f"u{at}"), "attachments": [image]},
            {
                **assistant_item(text, f"m{at}"),
                "content": [
                    {
                        "type": "output_text",
                        "text": text,
                        "annotations": [
                            {"type": "annotation", "source": source, "index": 1},
                            {
                                "type": "annotation",
                                "source": {"type": "entity", "id": "e", "title": "E", "icon": url},
                                "index": 1,
                            },
                        ],
                    }
                ],
            },
            item(
                "workflow",
                f"w{at}",
                workflow={
                    "type": "custom",
                    "expanded": True,
                    "tasks": [{"type": "web_search", "title": "s", "sources": [source]}],
                },
            ),
            item("generated_image", f"g{at}", image={"id": "i", "url": url}),
            widget(
                {"type": "Image", "src": url, "alt": "i"},
                {"type": "Markdown", "value": text},
                {"type": "Icon", "name": url},
                item_id=f"x{at}",
                status={"text": "s", "favicon": url},
            ),
        ]

    stage.show(
        *(each for at, url in enumerate(ADDRESSES) for each in linked(url, at)), thread={"allowed_image_domains": []}
    )
    expect(stage.chat.widgets).to_have_count(len(ADDRESSES))
    unfold(stage)
    expect_no_harm(stage)
    links = stage.chat.element.locator("a[href]").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    # An encoded colon is part of a name, and the link a relative one.
    assert {link for link in links if "script" in link} <= {"javascript%3Apwn()"}


def test_formulas_make_no_link_no_picture_and_nothing_huge(stage: Stage) -> None:
    stage.show(user_item("x"), assistant_item("\n\n".join([r"Sum $$a^2$$", *FORMULAS])))
    expect(stage.chat.answers.locator(".katex").first).to_be_attached()
    expect_no_harm(stage)
    assert stage.chat.answers.locator("a, img").count() == 0
    assert stage.chat.answers.locator(".evil, [id=chat]").count() == 0
    assert stage.chat.transcript.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    assert stage.chat.transcript.evaluate("e => e.scrollHeight") < 20_000


def test_styles_of_widgets_and_themes_ask_for_nothing_and_stay_in_their_place(stage: Stage) -> None:
    names = [
        "background",
        "color",
        "width",
        "height",
        "size",
        "minWidth",
        "maxWidth",
        "minHeight",
        "maxHeight",
        "gap",
        "padding",
        "margin",
        "radius",
        "border",
        "align",
        "justify",
        "flex",
        "wrap",
        "aspectRatio",
        "position",
        "zIndex",
        "inset",
        "style",
        "class",
        "className",
        "fit",
        "textAlign",
        "weight",
        "direction",
    ]
    boxes = [
        {"type": kind, "id": f"{kind}{at}", "value": "x", "label": "x", "children": [], **dict.fromkeys(names, value)}
        for at, value in enumerate(STYLES)
        for kind in ("Box", "Row", "Text", "Badge", "Image", "Divider", "Spacer")
    ]
    stage.show(user_item("x"), widget(*boxes, background=STYLES[0], size=STYLES[1], padding=STYLES[4], theme=STYLES[5]))
    expect(stage.chat.widgets).to_have_count(1)
    expect_no_harm(stage)
    for value in STYLES:
        stage.page.evaluate(
            """value => chat.setOptions({...chat.options, theme: {
                colorScheme: value, radius: value, density: value,
                color: {accent: {primary: value, level: value}, surface: {background: value, foreground: value},
                    grayscale: {hue: value, tint: value, shade: value}},
                typography: {baseSize: value, fontFamily: value, fontFamilyMono: value},
            }})""",
            value,
        )
        expect(stage.chat.composer).to_be_visible()
    expect_no_harm(stage)
    # What is one font family stays one: no way out of the quotes.
    assert stage.chat.element.get_by_role("region").evaluate("e => getComputedStyle(e).position") == "absolute"


@pytest.mark.new_page
def test_half_an_address_is_not_asked_for_while_it_streams(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    gates = [Gate(), Gate()]
    pieces = ["See ![a pic", "ture](/dist/chat", "kit.js?picture", "=1) and [a li", "nk](/dist/chatkit.js?li"]
    start = [*message_events("")[:2], {"type": "thread.item.added", "item": assistant_item(None)}]
    whole = "See ![a picture](/dist/chatkit.js?picture=1) and [a link](/dist/chatkit.js?link)."
    stage.server.on(
        "threads.create",
        Stream(
            [
                *start,
                *map(text_delta, pieces[:3]),
                gates[0],
                *map(text_delta, pieces[3:]),
                gates[1],
                {"type": "thread.item.done", "item": assistant_item(whole)},
            ]
        ),
    )
    stage.begin()
    stage.chat.send("hi")
    expect(stage.chat.answers).to_contain_text("See")
    expect_no_harm(stage)
    gates[0].open()
    expect(stage.chat.answers).to_contain_text("a link")
    expect_no_harm(stage)
    assert [url for url in asked if "?" in url] == []
    assert stage.chat.answers.locator("img, a[href]").count() == 0
    gates[1].open()
    expect(stage.chat.answers.locator("a[href]")).to_have_attribute("href", "/dist/chatkit.js?link")
    expect(stage.chat.answers.locator("img")).to_have_attribute("src", "/dist/chatkit.js?picture=1")


def test_a_thread_says_where_pictures_may_come_from(stage: Stage) -> None:
    urls = [
        "https://evil.example/x.png",
        "//evil.example/x.png",
        "https://img.example@evil.example/x",
        "https://img.example.evil.example/x",
        "https://sub.img.example/x",
        "https://img.example:8443@evil.example/x",
    ]
    text = "\n\n".join(f"![p{at}]({url})" for at, url in enumerate(urls))
    stage.show(user_item("x"), assistant_item(text), thread={"allowed_image_domains": ["img.example"]})
    expect(stage.chat.answers).to_contain_text("p5")
    expect_no_harm(stage)
    assert stage.chat.answers.locator("img").count() == 0


def test_a_picture_of_another_origin_waits_for_a_click(stage: Stage) -> None:
    """The guard sees each request to another origin, and the fixture each one that the page's policy has refused."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(content_type="text/html", body=f'<!doctype html><img alt="" src="{PIXEL}">')

    stage.page.route("**/shown?src=*", answer)
    text = "![A map](https://a.example/map.png) [![B](https://b.example/b.png)](https://b.example)"
    stage.show(user_item("x"), assistant_item(text), options="parlor: {imageFrame: '/shown'}")
    answers = stage.chat.answers
    expect(answers.get_by_role("button")).to_have_text([re.compile("a.example"), re.compile("b.example")])
    expect_no_harm(stage)
    assert asked == []
    answers.get_by_role("button", name="A map Load the picture from a.example").press("Enter")
    frame = answers.locator("iframe[title='A map']")
    expect(frame).to_be_focused()
    expect(frame).to_have_css("width", "1px")
    assert [url.partition("?")[2] for url in asked] == ["src=https%3A%2F%2Fa.example%2Fmap.png"]
    expect(answers.get_by_role("button", name="B Load the picture from b.example")).to_be_visible()


def test_keys_that_name_prototypes_are_keys(stage: Stage) -> None:
    evil: dict[str, Any] = {
        "__proto__": {"polluted": 1},
        "constructor": {"prototype": {"polluted": 1}},
        "prototype": {"polluted": 1},
    }
    form = widget(
        {
            "type": "Form",
            "onSubmitAction": {"type": "go", "payload": evil, "handler": "client"},
            "children": [
                {"type": "Input", "name": "__proto__.polluted", "defaultValue": "1"},
                {"type": "Input", "name": "constructor.prototype.polluted", "defaultValue": "1"},
                {"type": "Button", "label": "Go", "submit": True, **evil},
            ],
        },
        **evil,
    )
    events = [
        *message_events("")[:2],
        {**evil, "type": "client_effect", "name": "e", "data": evil},
        {"type": "thread.item.done", "item": {**form, **evil}},
        {
            "type": "thread.item.done",
            "item": item("client_tool_call", "ct", status="pending", name="t", arguments=evil, call_id="c"),
        },
    ]
    stage.server.on("threads.create", Stream(events))
    stage.server.on("threads.add_client_tool_output", Stream([]))
    stage.begin(
        """onClientTool: ({params}) => { (window.got ??= []).push(({}).polluted, params); return {} },
        widgets: {onAction: async action => { (window.got ??= []).push(({}).polluted, action.payload) }}"""
    )
    stage.page.evaluate(
        "chat.addEventListener('chatkit.effect', ({detail}) => (window.got ??= []).push(({}).polluted, detail.data))"
    )
    stage.chat.ask("hi")
    stage.find("button", "Go").click()
    stage.page.wait_for_function("() => window.got.length >= 6")
    assert stage.page.evaluate("got.filter((_, at) => at % 2 === 0)") == [None] * 3
    assert stage.page.evaluate("got.every(each => each === undefined || ({}).polluted === undefined)")
    expect_no_harm(stage)
    # Handed on as data, and nothing of it was read as code.
    assert "polluted" in json.dumps(stage.page.evaluate("got[1]"))


def test_server_data_is_passed_on_as_data_only(stage: Stage) -> None:
    code = "pwn()//"
    text = f"[a](chatkit-link://{code}?x=javascript:pwn()&y=%3Cimg%20onerror=pwn()%3E)"
    stage.server.on(
        "threads.create",
        Stream(
            [
                *message_events("")[:2],
                {"type": "client_effect", "name": code, "data": {"html": MARKUP[0], "f": "() => pwn()"}},
                {"type": "thread.item.done", "item": assistant_item(text)},
            ]
        ),
    )
    stage.page.evaluate("window.heard = []")
    stage.begin()
    stage.page.evaluate(
        """() => { for (const name of ['effect', 'deeplink'])
            chat.addEventListener('chatkit.' + name, ({detail}) => heard.push(detail)); }"""
    )
    stage.chat.ask("hi")
    stage.chat.answers.get_by_role("link").click()
    stage.page.wait_for_function("() => heard.length === 2")
    effect, link = stage.page.evaluate("heard")
    assert effect == {"name": code, "data": {"html": MARKUP[0], "f": "() => pwn()"}}
    assert link["data"] == {"x": "javascript:pwn()", "y": "<img onerror=pwn()>"}
    assert stage.page.url.endswith("/page/classic")
    expect_no_harm(stage)


def test_a_log_has_names_and_ids_and_never_words(stage: Stage, tolerated_errors: list[str]) -> None:
    tolerated_errors.append("Failed to load resource")
    words = "my very private words"
    strange = [
        {"type": f"unknown.{at}", "text": words, "item": {"id": "x", "type": words, "text": words}} for at in range(2)
    ]
    stage.server.on(
        "threads.create",
        Stream(
            [
                *message_events("")[:2],
                *strange,
                b"data: {" + words.encode() + b"\n\n",
                {"type": "thread.item.updated", "item_id": "nobody", "update": {"type": "x", "delta": words}},
                {"type": "thread.item.done", "item": {"type": "hologram", "id": "h", "text": words}},
                {"type": "thread.item.done", "item": assistant_item(words)},
            ]
        ),
        Answer({"error": {"message": words}}, 500),
    )
    stage.begin(
        f"fancyOption: '{words}', startScreen: {{greeting: '{words}'}}, entities: {{onTagSearch: async () => []}}"
    )
    stage.page.evaluate(
        """() => {
            window.logged = [];
            chat.addEventListener('chatkit.log', ({detail}) => logged.push(detail));
            for (const name of ['log', 'info', 'debug', 'warn', 'error'])
                console[name] = (...all) => logged.push(all.map(String));
        }"""
    )
    stage.chat.ask(words)
    stage.chat.composer.press_sequentially(f"@{words}")
    stage.page.evaluate(f"chat.setComposerValue({{text: '{words}', selectedToolId: 'unknown'}})")
    expect(stage.chat.composer).to_have_value(words)
    logged = stage.page.evaluate("JSON.stringify(logged)")
    assert "unknown" in logged
    assert "private" not in logged


def test_the_clipboard_is_written_to_on_a_persons_wish_only(stage: Stage) -> None:
    stage.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stage.page.evaluate("navigator.clipboard.writeText('mine')")
    code = "```js\ncopy()\n```"
    stage.server.on(
        "threads.create",
        Stream([*message_events(code), {"type": "client_effect", "name": "copy", "data": {"text": "theirs"}}]),
    )
    stage.begin("threadItemActions: {feedback: true, retry: true}")
    stage.chat.ask("hi")
    stage.page.evaluate("chat.setComposerValue({text: 'theirs'})")
    assert stage.page.evaluate("navigator.clipboard.readText()") == "mine"
    stage.chat.answers.get_by_role("button", name="Copy").first.click()
    expect(stage.chat.answers.get_by_role("button", name="Copied").first).to_be_visible()
    expect_clipboard(stage.page, "copy()")


def test_a_hostile_pattern_does_not_hang_the_page(stage: Stage) -> None:
    fields = [
        {"type": kind, "name": f"{kind}{length}", "pattern": "(a+)+$", "defaultValue": "a" * length + "!"}
        for kind in ("Input", "Textarea")
        for length in (40, 5000)
    ]
    stage.show(
        user_item("x"),
        widget(
            {
                "type": "Form",
                "onSubmitAction": {"type": "x", "handler": "client"},
                "children": [*fields, {"type": "Button", "label": "Go", "submit": True}],
            }
        ),
    )
    stage.find("button", "Go").click()
    assert stage.page.evaluate("1 + 1") == 2
