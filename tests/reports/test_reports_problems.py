"""What a pull request shows of a plan and of problems, and that no text breaks out of any of it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from time import process_time
from typing import Any

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ftctl.catalog.request import job_request, row_of
from ftctl.data.diff.masked import MOST_SHOWN, masked_text
from ftctl.domain.desired import Dataset, Parent, ServiceInfo
from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Estimate,
    FieldChange,
    FileRef,
    Later,
    Plan,
    StartJob,
    Upload,
)
from ftctl.domain.review import DataChange, PolicyResult, Review, Violation
from ftctl.domain.row_diff import Changed, Compared, Difference, Pair, RowDiff, Shown, Side
from ftctl.errors import Diagnostic, Span
from ftctl.planner.decision_table import Decision
from ftctl.reports.html import plan_html
from ftctl.reports.junit import problems_junit
from ftctl.reports.markdown import comment_mark, plan_markdown
from ftctl.reports.presenter import headline
from ftctl.reports.problems import problems_github, problems_json
from ftctl.reports.sarif import problems_sarif
from ftctl.text.escape import json_in_log, markdown, markdown_code, markdown_fence, one_line
from ftctl.text.invisible import first_hidden, hidden_in

GOLDEN = ROOT / "tests" / "reports"
DIGEST = "sha256:" + "5" * 64
SHA = "a" * 64
BASE = "gpt-4.1-mini-2025-04-14"
SERVICE = ServiceInfo("openai", "https://api.openai.com/v1")
BASIS = (
    "32,773 tokens an epoch, 3 epochs, $5.00 per million tokens (openai, 2025-11);"
    " validation is not billed"
)

often = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def compared(show_text: bool = False, text: str = "anger", place: str = "a.jsonl") -> Compared:
    answer, near = Changed(12, 12, "answer"), Changed(40, 41, "near", 0.914)
    pairs = (
        Pair(answer, (Difference("messages[2].content", "joy", text),)),
        Pair(near, (Difference("messages[1].content", "i feel ok", ...),)),
    )
    diff = RowDiff(480, 482, 477, (7,), (481, 482, 483), (answer, near), 60, 140, compared=True)
    removed = (Shown(7, {"prompt": "gone", "of": "jane.doe@acme.io"}),)
    added = (Shown(481, {"prompt": text}),)
    sides = Side(f"main:{place}", 1), Side(place)
    return Compared(*sides, diff, "o200k_base", pairs, removed, added, show_text)


def start(name: str) -> StartJob:
    spec = {"method": "supervised", "hyperparameters": {"n_epochs": 3}, "seed": 7}
    training = FileRef("emotion-train", "ftctl.acme.jsonl", SHA)
    return StartJob(name, f"v1:{SHA}", spec, BASE, training, None)


GRADED = {
    "method": "reinforcement",
    "hyperparameters": {"n_epochs": 3},
    "grader": {
        "type": "python",
        "name": "accuracy",
        "source": "import json\n\n\ndef grade(sample, item):\n    return 1.0  # ::error::x\n",
    },
    "integrations": {"wandb": {"project": "emotion", "entity": "acme", "tags": ["ci", "v 3"]}},
    "metadata": {"owner": "cx", "note": "for <b>review</b>"},
    "extra": {
        "trainingType": "GlobalStandard",
        "method": {"reinforcement": {"hyperparameters": {"n_epochs": 5}}},
    },
}


def graded() -> StartJob:
    """A training that asks for all that one may."""
    rows = FileRef("grader", "ftctl.acme.jsonl", SHA, "file-9", "data/grader.jsonl", 60)
    held = FileRef("held", "ftctl.acme.jsonl", SHA, "file-8", "data/held out.jsonl", 12)
    request = job_request(GRADED, row_of("openai"))
    return StartJob("grader", f"v1:{SHA}", GRADED, BASE, rows, held, request=request, keep=1)


def child() -> Later:
    """A training that waits for its parent."""
    rows = Dataset("child", "data/child.jsonl", SHA, 40, 4_000, "chat")
    spec = {"base_model": {"digest": f"v1:{SHA}"}, "training": SHA, "suffix": "child"}
    request = job_request(spec, row_of("openai"))
    return Later(Parent("emotion", "last"), spec, request, rows, None, 2)


def full_review() -> Review:
    """A review with everything that one can hold."""
    cost = Estimate(Decimal("0.491"), Decimal("0.512"), BASIS, tokens=(98_319, 102_400))
    hourly = Estimate(
        None, None, "billed by the hour: $100.00 an hour of training (openai, 2025-11)",
        usd_per_hour=Decimal(100),
    )  # fmt: skip
    fields = (
        FieldChange("hyperparameters.n_epochs", "2", "3", cosmetic=False),
        FieldChange("seed", None, "7", cosmetic=False),
    )
    upload = Upload("emotion-train", "data/emotion/train.jsonl", SHA, 176_555, "ftctl.acme.jsonl")
    old = f"ft:{BASE}:acme::m1"
    changes = (
        Change(
            "emotion", Action.REPLACE, "hyperparameters.n_epochs 2 → 3", (upload, start("emotion")),
            fields, digest=f"v1:{SHA}", job="ftjob-1", model=old, cost=cost,
        ),
        Change("grader", Action.CREATE, "not found", (graded(),), cost=hourly),
        Change(
            "child", Action.DEFER, "waits for emotion", cost=replace(cost, low=None, high=None),
            later=child(),
        ),
        Change("tone", Action.NO_OP, f"up to date as {old}", model=old),
        Change("voice", Action.NO_OP, "ftjob-8 failed: no such file; --retry-failed buys it again"),
        Change(
            "calm", Action.NO_OP, f"up to date as {old}", model=old,
            fields=(FieldChange("suffix", "calm", "quiet", cosmetic=True),),
        ),
        Change(
            "old-triage", Action.DELETE, "not in the manifests",
            (DeleteModel(f"ft:{BASE}:acme:triage:m7"), DeleteFile("file-7", "ftctl.acme.old")),
        ),
        Change("late", Action.CANCEL, "not in the manifests", (CancelJob("ftjob-5", "unwanted"),)),
        Change(
            "hidden", Action.ATTENTION,
            f"ftjob-3 made {old}, which this key cannot see: deleted, or hidden;"
            " --replace hidden buys it again",
            job="ftjob-3", model=old, would_cost=cost,
        ),
        Change(
            "theirs", Action.ATTENTION, "adopts ftjob-4, which this account does not show"
        ),
    )  # fmt: skip
    policy = PolicyResult(
        (
            "max_cost_per_job",
            "max_share_deleted",
            "pinned_snapshots",
            "warn_days_to_shutdown",
            "require_validation",
            "services",
        ),
        (
            Violation(
                "warn_days_to_shutdown", "warning", f"{BASE} shuts down in 61 days, on 2026-01-22",
                None, "emotion",
            ),
            Violation(
                "max_cost_per_job", "refused", "it may cost $0.51, over $0.50",
                "set max_cost_per_job to 0.52 in ftctl.yaml, or pass --allow max_cost_per_job",
                "emotion",
            ),
            Violation("require_validation", "allowed", "it has no validation file", None, "grader"),
        ),
    )  # fmt: skip
    data = (
        DataChange(
            "data/emotion/train.jsonl", ("emotion",), "training", 482,
            compared(show_text=True, place="data/emotion/train.jsonl"), 80,
            (Decimal("0.0012"), Decimal("0.02")),
        ),
        DataChange("data/grader.jsonl", ("grader",), "training", 60, None, 9_100, None),
        DataChange("data/tone.jsonl", ("tone",), "validation", 482, compared(), -12),
    )  # fmt: skip
    warnings = ("1 fine-tune is in service that no manifest names",)
    return Review(Plan("acme", SERVICE, changes, warnings), DIGEST, policy, data, "main", "0123abc")


def hostile_review(text: str) -> Review:
    """A review in which that text stands wherever a text can stand."""
    cost = Estimate(Decimal(1), Decimal(2), text, tokens=(1, 2))
    change = Change(
        text, Action.CANCEL, text,
        (
            CancelJob(text, text), DeleteModel(text), DeleteFile(text, text),
            Upload(text, text, SHA, 1, text),
            replace(start(text), base_model=text, spec={"suffix": text, "method": text}),
        ),
        (FieldChange(text, text, text, cosmetic=True),), cost=cost,
    )  # fmt: skip
    calm = Change(text, Action.NO_OP, f"up to date as {text}", model=text)
    violations = tuple(
        Violation(text, severity, text, text, text)
        for severity in ("refused", "warning", "allowed")
    )
    files = (
        DataChange(text, (text,), "training", 5, compared(True, text, text), 5, None),
        DataChange(text + "2", ("?",), "validation", 5, compared(True, text, text), 5, None),
    )
    plan = Plan(text, ServiceInfo(text, text), (change, calm), (text, text))
    return Review(plan, DIGEST, PolicyResult((text + "3",), violations), files, text, text)


def problems(text: str) -> tuple[Diagnostic, ...]:
    """One of each kind, with that text wherever a text can stand."""
    return (
        Diagnostic(text, text, Span(text, 3, 7), text),
        Diagnostic(text, text, Span(text), None, "warning"),
    )


HOSTILE = {
    "a cell's end": "a | b || c \\| d \\\\| e |",
    "a table's next row": "x |\n| --- | y |\n| z |",
    "a code span's end": "`a` ``b`` ```c\n``` d",
    "an HTML element": "<img src=x onerror=alert(1)> <script>alert(1)</script> <b>",
    "the end of a fold": "</summary></details>\n\n</details><details open>",
    "the end of a comment": "--> <!-- ftctl plan: other prod --> --!> <!---->",
    "a link and an image": "[words](https://evil.example) ![pic](//evil.example/p.png) <http://e.x>",
    "a bare address": "https://evil.example/p?q=1 www.evil.example, ftp://e.x a@evil.io b@.c",
    "a mention": "@acme/everyone @octocat hello@octocat (@team)",
    "references": '#1 acme/shop#12 GH-3 !4 &5 %6 ~7 $8 [issue:9] :tada: ^alert#1 %"m" ~"l"',
    "emphasis and headings": "# h\n## h\n*a* _b_ __c__ ***d*** ~~e~~\n=====\n- - -\n> q\n1. x",
    "a formula": "$x$ $$y$$ $`z`$ \\(a\\)",
    "a quick action": "/close\n/merge\n/assign @me",
    "workflow commands": "::set-env name=A::b\n::error file=x::y\r::stop-commands::k\n"
    "##[add-mask]z\n##vso[task.setvariable variable=x]y ::set-output name=a::b%0A::warning::c",
    "terminal escapes": "\x1b[2J\x1b]8;;http://e.x\x07click\x1b]8;;\x07\x9b31m\x08\x7f\x00\x0c",
    "other directions": "\u202eabc\u202c \u2066def\u2069 \u200b\u200d\ufeff\u2028\u2029\u0085 e",
    "half a character": "\ud800 \udfff \ufffe \U000e0041",
    "an entity": "&lt;b&gt; &#60;i&#62; &amp;amp; &quot;&apos;&#64;octocat",
    "attributes": "\" onmouseover=\"x\" ' style='y' ]]> <![CDATA[ z ]]> <?xml?> <!ENTITY a>",
    "placeholders": "{0} {{ 7*7 }} ${{ secrets.KEY }} %s \\u003c",
}  # fmt: skip

hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)


def markdown_parser() -> MarkdownIt:
    """GitHub's Markdown: tables, strikethrough and HTML."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens_of(text: str) -> Iterator[Token]:
    for token in markdown_parser().parse(text):
        yield token
        yield from token.children or ()


class Page(HTMLParser):
    """The tags of a page, and whether each is closed by its own."""

    VOID = frozenset({"meta", "img", "br", "hr"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.open: list[str] = []
        self.comments: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)


def shape(text: str) -> list[tuple[str, str]]:
    """What a document of Markdown consists of, without its words."""
    return [
        (token.type, token.tag)
        for token in tokens_of(text)
        if token.type not in ("text", "text_special", "softbreak", "code_inline", "html_inline")
    ]


def as_before(path: str, text: str) -> bool:
    """Whether a report is the one that was looked at; UPDATE=1 writes it anew, to be looked at."""
    if os.environ.get("UPDATE"):
        (GOLDEN / path).write_text(f"{text}\n", "utf-8")
    return text == (GOLDEN / path).read_text("utf-8").removesuffix("\n")


def test_the_markdown_of_a_whole_review() -> None:
    text = plan_markdown(full_review(), environment="prod", command="ftctl --env prod apply")

    assert as_before("full.md", text)


def test_the_page_of_a_whole_review() -> None:
    page = plan_html(full_review(), command="ftctl --env prod apply")

    assert as_before("full.html", page)


def test_the_page_holds_every_word_of_the_markdown() -> None:
    def words(page: str) -> set[str]:
        return set(re.findall(r"[\w$][\w.,-]*\w|\w", " ".join(Page(page).texts).lower()))

    rendered = words(markdown_parser().render(plan_markdown(full_review())))

    assert rendered - words(plan_html(full_review())) == set()


def passing() -> Review:
    return replace(full_review(), policy=PolicyResult())


COMMIT = "1a2b3c4d5e6f" + "0" * 28


def test_the_markdown_that_is_approved_by_merging() -> None:
    text = plan_markdown(passing(), environment="prod", by_merging=True, commit=COMMIT)

    assert as_before("merged.md", text)
    assert "ftctl apply --approve" not in text


def test_the_page_that_is_approved_by_merging() -> None:
    page = plan_html(passing(), by_merging=True, commit=COMMIT)

    assert as_before("merged.html", page)
    assert "ftctl apply --approve" not in page


def test_a_base_that_is_a_commit_is_told_short() -> None:
    review = replace(passing(), base="637e507b52ce" + "9" * 28)

    assert "Data compared with 637e507b52ce." in plan_markdown(
        review, by_merging=True, commit=COMMIT
    )
    assert f"compared with {review.base}." in plan_markdown(review)


def test_what_a_comment_has_no_room_for_is_read_before_a_merge() -> None:
    review = replace(large(1_000), policy=PolicyResult())

    text = plan_markdown(review, most=20_000, by_merging=True, commit=COMMIT)

    assert len(text) <= 20_000
    assert "--format html" not in text
    *_rest, foot = text.split("\n\n")
    assert foot == (
        "**Not all that is approved stands here**: 935 changes, 902 warnings and 992 of"
        " 1,000 details left out; the HTML plan, an artifact of this run, has all of it."
        " Read that before you merge. Merging applies exactly this plan, and nothing else."
        f" Its digest: `{DIGEST}`."
    )


def test_a_merge_of_what_the_policy_refuses_is_said_to_buy_nothing() -> None:
    text = plan_markdown(full_review(), by_merging=True)

    foot = "The policy refuses this plan: merging buys nothing until that is mended."
    assert text.endswith(f"{foot} Its digest: `{DIGEST}`.")


def test_a_merge_buys_nothing_of_what_needs_attention() -> None:
    failed = Change("a", Action.ATTENTION, "ftjob-1 failed; --retry-failed buys it again")
    gone = Change("b", Action.ATTENTION, "it is not there; --replace b buys it")
    cost = money(4, 5)

    def shown(*changes: Change) -> str:
        priced = tuple(replace(change, would_cost=cost) for change in changes)
        return plan_markdown(Review(Plan("acme", SERVICE, priced), DIGEST), by_merging=True)

    head = "**Attention**: merging buys nothing for this. To buy it all the same, somebody types:"
    both, alone = shown(failed, gone), shown(gone)
    assert head in both
    assert "- `ftctl apply --retry-failed --select a` buys `a`: \\$4.00 to \\$5.00\n" in both
    assert "run the job that applies by hand with retry-failed" in both
    assert head in alone
    assert "by hand" not in alone


def attention(many: int, text: str = "it is not there") -> Review:
    cost = money(4, 5)
    names = (f"a{number:04}" for number in range(many))
    changes = (
        Change(name, Action.ATTENTION, f"{text}; --replace {name} buys it", would_cost=cost)
        for name in names
    )
    return Review(Plan("acme", SERVICE, tuple(changes)), DIGEST)


def test_what_needs_attention_says_what_to_type_and_what_that_costs() -> None:
    one = attention(1)

    markdown, page = plan_markdown(one, command="ftctl -C a apply"), plan_html(one)

    assert "- `ftctl -C a apply --replace a0000` buys `a0000`: \\$4.00 to \\$5.00\n" in markdown
    assert "<li><code>ftctl apply --replace a0000</code> buys <code>a0000</code>: $4.00" in page
    assert "it is not there; --replace a0000 buys it | buying it: \\$4.00 to \\$5.00 |" in markdown


def test_what_money_cannot_mend_has_no_command_to_buy_it() -> None:
    theirs = Change("a", Action.ATTENTION, "adopts ftjob-4, which this account does not show")
    other = replace(theirs, name="b", would_cost=money(4, 5))
    review = Review(Plan("acme", SERVICE, (theirs, other)), DIGEST)

    for shown in (plan_markdown(review), plan_html(review)):
        assert "ftjob-4" in shown
        assert "--replace" not in shown


def test_a_thousand_that_need_attention_fit_into_a_comment() -> None:
    text = plan_markdown(attention(1_000, "x" * 300), most=20_000)

    assert len(text) <= 20_000
    told = text.count("` buys `")
    assert 10 < told < 1_000
    assert f"and {1_000 - told:,} more: `ftctl plan --format html`" in text


def money(low: int | str, high: int | str) -> Estimate:
    return Estimate(Decimal(low), Decimal(high), "as before")


SUMS = [
    ((), PolicyResult(), "nothing to do"),
    (
        (Change("a", Action.CREATE, "", (start("a"),), cost=Estimate(None, None, "no price")),),
        PolicyResult(),
        "1 to train, 1 of unknown price",
    ),
    (
        (
            Change("a", Action.CREATE, "", (start("a"),), cost=money(4, 5)),
            Change("b", Action.DEFER, "", cost=money("0.1", "0.12")),
        ),
        PolicyResult(("x",), (Violation("x", "refused", "m"), Violation("x", "allowed", "m"))),
        "1 to train, 1 to train later, $4.10 to $5.12; 1 refused by policy; 1 let pass by --allow",
    ),
    (
        (Change("a", Action.DELETE, "", (DeleteModel("m"), DeleteModel("n"))),),
        PolicyResult(),
        "2 models deleted for good",
    ),
    (
        (Change("a", Action.DELETE, "", (DeleteFile("f", "g"),)),),
        PolicyResult(),
        "only files change",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "policy", "words"), SUMS, ids=[one[2] for one in SUMS])
def test_the_headline_sums_up(
    changes: tuple[Change, ...], policy: PolicyResult, words: str
) -> None:
    assert headline(Review(Plan("acme", SERVICE, changes), DIGEST, policy)) == words


def test_an_offline_plan_says_so_instead_of_how_to_approve_it() -> None:
    review = replace(full_review(), offline=True)

    for text in (plan_markdown(review), plan_html(review)):
        assert "planned against ftctl.lock; nothing here was asked of the service" in text
        assert "--approve" not in text


def test_a_refused_plan_is_not_said_to_be_there_for_approval() -> None:
    refused = plan_markdown(full_review())
    passing = plan_markdown(replace(full_review(), policy=PolicyResult()))

    assert refused.endswith(f"Its digest: `{DIGEST}`.")
    assert passing.endswith(f"```sh\nftctl apply --approve {DIGEST}\n```")


def test_only_what_is_exactly_as_it_should_be_is_left_out_of_the_table() -> None:
    text = plan_markdown(full_review())

    table = [line for line in text.splitlines() if re.match(r"\| `.` \|", line)]
    assert [re.findall("`([^`]+)`", line)[1] for line in table] == [
        "old-triage", "late", "emotion", "grader", "hidden", "theirs", "child", "voice", "calm",
    ]  # fmt: skip
    assert "1 unchanged: `tone`." in text


def test_the_words_for_what_is_up_to_date_are_those_of_the_planner() -> None:
    source = (ROOT / "ftctl" / "planner" / "decision_table.py").read_text("utf-8")

    assert Decision.__module__ == "ftctl.planner.decision_table"
    assert 'f"up to date as {facts.live.model}"' in source


def test_the_mark_is_the_first_line_and_is_this_plans_alone() -> None:
    marks = {
        comment_mark(project, environment)
        for project in ("a", "a b", "a--b", "--> x")
        for environment in (None, "prod", "b c", "-->")
    }

    assert len(marks) == 16
    assert comment_mark("acme", "prod") == "<!-- ftctl plan: acme prod -->"
    assert plan_markdown(full_review(), environment="prod").startswith(comment_mark("acme", "prod"))
    for mark in marks:
        assert Page(mark).comments == [mark.removeprefix("<!--").removesuffix("-->")]


@hostile
def test_markdown_keeps_its_shape_whatever_the_texts_are(text: str) -> None:
    rendered = plan_markdown(hostile_review(text), environment=text)

    assert shape(rendered) == shape(plan_markdown(hostile_review("word"), environment="word"))


@hostile
def test_markdown_holds_no_tag_and_no_comment_but_ours(text: str) -> None:
    rendered = markdown_parser().render(plan_markdown(hostile_review(text), environment=text))

    page = Page(rendered)
    ours = {"details", "summary", "code", "table", "thead", "tbody", "tr", "th", "td", "h3", "p",
            "ul", "li", "strong", "pre", "blockquote"}  # fmt: skip
    assert {tag for tag, _ in page.tags} <= ours
    attributes = {pair for _, attrs in page.tags for pair in attrs}
    assert attributes <= {("class", "language-diff"), ("class", "language-sh"),
                          ("style", "text-align:right")}  # fmt: skip
    assert (page.open, len(page.comments)) == ([], 1)


@given(st.text(alphabet="ab |`<>\\\n*_[]()#&~$!-/:@=+.1\x1b\u2028", max_size=30))
@often
def test_markdown_keeps_its_shape_with_any_text(text: str) -> None:
    rendered = plan_markdown(hostile_review(text))

    assert shape(rendered) == shape(plan_markdown(hostile_review("word")))


def github(text: str) -> str:
    """The same by GitHub's own parser, which links bare addresses while it reads Markdown."""
    return str(github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE))


@given(
    st.lists(
        st.sampled_from([*"|`<>\\*_[]()#&~$!-/:@=+.%\n ab1", "http://", "www.a.b", "_www.a.b",
                         "&lt;", "](", "-->", "a@b.c", "mailto:a@b.c", "xmpp:a@b.c", "ftp://a.b"])
    )
)  # fmt: skip
@often
def test_github_sees_no_link_and_no_tag_but_ours(parts: list[str]) -> None:
    page = Page(github(plan_markdown(hostile_review("".join(parts)))))

    harmless = Page(github(plan_markdown(hostile_review("word"))))
    assert (len(page.comments), page.open) == (1, [])
    for one in (page, harmless):  # code is written in one of two ways
        one.tags = [tag for tag in one.tags if tag[0] != "code"]
    assert page.tags == harmless.tags


# What GitHub and GitLab look for in the text that is not code, after Markdown is read.
REFERENCES = re.compile(
    r"@(?!\u200b)|#\d|\bGH-\d|!\d|&\d|%\d|~\d|:\w+:|://|www\.\w|\[issue:|\^alert|[%~]\"",
    re.IGNORECASE,
)


@hostile
def test_nobody_is_notified_and_nothing_is_linked(text: str) -> None:
    rendered = markdown_parser().render(plan_markdown(hostile_review(text), environment=text))

    outside_code = re.sub(r"(?s)<(pre|code)\b.*?</\1>", "", rendered)
    texts = " ".join(Page(outside_code).texts)
    assert REFERENCES.findall(texts) == []


@hostile
def test_the_page_has_only_our_tags_and_no_script_or_address(text: str) -> None:
    rendered = plan_html(hostile_review(text), command=text)

    page, harmless = Page(rendered), Page(plan_html(hostile_review("word"), command="word"))
    assert page.tags == harmless.tags
    assert (page.open, page.comments) == ([], [])
    assert {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "a", "form"} == set()
    assert "default-src 'none'" in str(page.tags)
    assert "url(" not in rendered
    style = re.findall(r"(?s)<style>(.*)</style>", rendered)[0].encode()
    digest = b64encode(hashlib.sha256(style).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in str(page.tags)
    assert "@import" not in rendered


PLAN_FORMATS: dict[str, Callable[[str], str]] = {
    "markdown": lambda text: plan_markdown(hostile_review(text), environment=text),
    "html": lambda text: plan_html(hostile_review(text), command=text),
}
PROBLEM_FORMATS: dict[str, Callable[[str], str]] = {
    "json": lambda text: problems_json(problems(text)),
    "sarif": lambda text: problems_sarif(problems(text), "1.0"),
    "junit": lambda text: problems_junit(problems(text), (text, "other.yaml")),
    "github": lambda text: problems_github(problems(text)),
}
FORMATS = PLAN_FORMATS | PROBLEM_FORMATS


@hostile
@pytest.mark.parametrize("form", FORMATS)
def test_no_form_steers_a_terminal_or_the_runner_that_reads_the_log(form: str, text: str) -> None:
    printed = FORMATS[form](text)

    assert first_hidden(printed) is None
    assert printed.encode()
    assert not re.search(r"##\w*\[", printed.replace("## [", "")) or form == "github"
    commands = [line for line in printed.splitlines() if line.lstrip().startswith("::")]
    assert len(commands) == (2 if form == "github" else 0)


@given(st.text(alphabet="ab1 |`<>\\\n*_[]()#&~$!-/:@%{}\"'\x1b\u2028\ud800", max_size=24))
@often
def test_markdown_shows_any_text_as_it_is_written(text: str) -> None:
    for form in (markdown, markdown_code):
        rendered = markdown_parser().render(f"| a |\n|---|\n| x {form(text)} |")

        (cell,) = re.findall(r"(?s)<td>(.*)</td>", rendered)
        shown = "".join(Page(cell).texts).replace("\u200b", "")
        assert shown.removeprefix("x").strip() in (one_line(text), "(empty)")


@hostile
def test_markdown_shows_hostile_words_as_they_are_written(text: str) -> None:
    rendered = markdown_parser().render(f"x {markdown(text)}")

    shown = "".join(Page(rendered).texts).replace("\u200b", "")
    assert shown.removeprefix("x").strip() == one_line(text)


def test_no_backticks_close_a_fence() -> None:
    for run in ("```", "````", "a ````` b"):
        (block,) = markdown_parser().parse("\n".join(markdown_fence([run, "*a*"], "")))

        assert block.content == f"{run}\n*a*\n"


def github_commands(printed: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands that the runner of GitHub Actions reads from a log, as it reads them."""
    found = []
    for line in re.split(r"\r\n|\r|\n", printed):
        if line.strip().startswith("::"):
            head, _, message = line.strip()[2:].partition("::")
            name, _, told = head.partition(" ")
            pairs = dict(one.partition("=")[::2] for one in told.split(",") if one)
            plain = {key: _unescaped(value, ":,") for key, value in pairs.items()}
            found.append((name, plain, _unescaped(message, "")))
    return found


def _unescaped(text: str, more: str) -> str:
    for character in ["\r", "\n", *more, "%"]:
        text = text.replace(f"%{ord(character):02X}", character)
    return text


@hostile
def test_each_problem_is_one_annotation_on_its_file(text: str) -> None:
    commands = github_commands(problems_github(problems(text)))

    hidden = set(hidden_in(text))
    shown = "".join("\ufffd" if at in hidden else c for at, c in enumerate(text))
    assert commands == [
        ("error", {"file": shown, "line": "3", "col": "7", "title": shown}, f"{shown} ({shown})"),
        ("warning", {"file": shown, "title": shown}, shown),
    ]


# The part of the published schema that ftctl writes: OASIS SARIF 2.1.0, errata 01.
_TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
_URI = {"type": "string", "pattern": r"^(?:[A-Za-z0-9._~/!$&'()*+,;=@-]|%[0-9A-F]{2}|file:///)*$"}
_REGION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "startLine": {"type": "integer", "minimum": 1},
        "startColumn": {"type": "integer", "minimum": 1},
    },
}
_ARTIFACT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"uri": _URI, "uriBaseId": {"type": "string"}},
}
_RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": _TEXT,
        "locations": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "physicalLocation": {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["artifactLocation"],
                        "properties": {"artifactLocation": _ARTIFACT, "region": _REGION},
                    }
                },
            },
        },
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_RUN = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tool"],
    "properties": {
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "originalUriBaseIds": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"uri": {"type": "string"}, "description": _TEXT},
            },
        },
        "results": {"type": "array", "items": _RESULT},
        "tool": {
            "type": "object",
            "additionalProperties": False,
            "required": ["driver"],
            "properties": {
                "driver": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string"},
                        "version": {"type": "string"},
                        "rules": {
                            "type": "array",
                            "uniqueItems": True,
                            "items": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["id"],
                                "properties": {"id": {"type": "string"}},
                            },
                        },
                    },
                }
            },
        },
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": _RUN},
    },
}


def sarif(*found: Diagnostic) -> Any:
    return json.loads(problems_sarif(found, "1.2.3"))


@hostile
def test_sarif_fits_its_schema(text: str) -> None:
    document = sarif(*problems(text))

    assert [one.message for one in Draft202012Validator(SARIF).iter_errors(document)] == []
    assert "](" not in str([one["message"] for one in document["runs"][0]["results"]])


def test_sarif_names_rule_place_and_cure() -> None:
    problem = Diagnostic("unknown-key", "no 'x'", Span("finetunes/a: b.yaml", 7, 3), "say y")
    other = Diagnostic("absent", "no file", Span("/data/a.jsonl"), None, "warning")

    (run,) = sarif(problem, other)["runs"]

    driver = {"name": "ftctl", "version": "1.2.3",
              "rules": [{"id": "absent"}, {"id": "unknown-key"}]}  # fmt: skip
    assert run["tool"] == {"driver": driver}
    for result in run["results"]:
        (mark,) = result.pop("partialFingerprints").values()
        assert re.fullmatch("[0-9a-f]{32}:1", mark)
    file = {"uri": "finetunes/a%3A%20b.yaml", "uriBaseId": "%SRCROOT%"}
    region = {"startLine": 7, "startColumn": 3}
    assert run["results"] == [
        {"ruleId": "unknown-key", "ruleIndex": 1, "level": "error",
         "message": {"text": "no 'x' (say y)"},
         "locations": [{"physicalLocation": {"artifactLocation": file, "region": region}}]},
        {"ruleId": "absent", "ruleIndex": 0, "level": "warning", "message": {"text": "no file"},
         "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": "file:///data/a.jsonl"}}}]},
    ]  # fmt: skip


def test_a_problem_keeps_its_fingerprint_on_another_line_and_twins_differ() -> None:
    def marks(*found: Diagnostic) -> list[str]:
        return [
            one["partialFingerprints"]["problem/v1"] for one in sarif(*found)["runs"][0]["results"]
        ]

    here = Diagnostic("a", "b", Span("c", 1))
    there = Diagnostic("a", "b", Span("c", 9))

    assert marks(here) == marks(there)
    assert len(set(marks(here, there, Diagnostic("a", "b", Span("d", 1))))) == 3


@hostile
def test_junit_is_xml_that_holds_each_problem(text: str) -> None:
    root = ET.fromstring(problems_junit(problems(text), (text, "fine.yaml")))

    (suite,) = root
    names = [case.attrib["name"] for case in suite]
    assert (root.attrib["tests"], root.attrib["failures"]) == ("2", "1")
    assert len(names) == 2
    assert "fine.yaml" in names
    assert [child.tag for case in suite for child in case] == ["failure", "system-out"]


def test_junit_has_a_case_for_each_file() -> None:
    text = problems_junit(
        (
            Diagnostic("unknown-key", "no <x>", Span("b.yaml", 7, 3), "say y"),
            Diagnostic("absent", "no file", Span("b.yaml", 9)),
            Diagnostic("odd", "hm", Span("c.yaml"), None, "warning"),
        ),
        ("a.yaml", "b.yaml"),
    )

    assert (
        text
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="ftctl validate" tests="3" failures="1" errors="0" skipped="0">
  <testsuite name="ftctl validate" tests="3" failures="1" errors="0" skipped="0">
    <testcase classname="ftctl.validate" name="a.yaml" file="a.yaml" />
    <testcase classname="ftctl.validate" name="b.yaml" file="b.yaml">
      <failure type="error" message="2 problems: unknown-key">\
b.yaml:7:3: error[unknown-key]: no &lt;x&gt;
hint: say y
b.yaml:9: error[absent]: no file</failure>
    </testcase>
    <testcase classname="ftctl.validate" name="c.yaml" file="c.yaml">
      <system-out>c.yaml: warning[odd]: hm</system-out>
    </testcase>
  </testsuite>
</testsuites>"""
    )


def large(count: int, text: str = "") -> Review:
    """A review of so many fine-tunes, each with all details, the last being deleted."""
    full = full_review()
    (emotion, *_rest) = full.plan.changes
    changes = [
        replace(emotion, name=f"emotion-{at:04}", reason=f"seed {at} → {at + 1} {text}")
        for at in range(count - 1)
    ]
    changes.append(Change("zz-last", Action.DELETE, "left", (DeleteModel("ft:last"),)))
    (first, *_others) = full.data
    data = tuple(
        replace(first, path=f"data/{one.name}.jsonl", finetunes=(one.name,)) for one in changes
    )
    refused = tuple(
        Violation("max_cost_per_job", "refused", f"over {text}", "do", one.name) for one in changes
    )
    plan = replace(full.plan, changes=tuple(changes), warnings=(f"soon {text}",) * count)
    return replace(full, plan=plan, policy=PolicyResult((), refused), data=data)


@pytest.mark.parametrize(
    ("most", "text"),
    [
        (8_000, "*" * 5_000), (20_000, ""), (20_000, "</details>" * 50), (60_000, "*" * 5_000),
        (60_000, "</details>" * 50), (1_000_000, "*" * 5_000),
    ],
    ids=["8000-long", "20000", "20000-tags", "60000-long", "60000-tags", "1000000-long"],
)  # fmt: skip
def test_a_comment_of_1000_fine_tunes_fits_and_is_whole_markdown(most: int, text: str) -> None:
    rendered = plan_markdown(large(1_000, text), most=most)

    assert len(rendered) <= most
    page = Page(markdown_parser().render(rendered))
    assert page.open == []
    assert rendered.count("<details>") == rendered.count("</details>")
    assert rendered.endswith(f"`{DIGEST}`.")
    first = next(line for line in rendered.splitlines() if re.match(r"\| `.` \|", line))
    assert "zz-last" in first
    assert re.search(r"and \d+ more: .{1,6}ftctl plan --format html", rendered) or most == 1_000_000
    assert re.search(r"\d+ details of 1,000 left out here", rendered)


def test_what_fits_is_not_cut() -> None:
    text = plan_markdown(large(30), most=1_000_000)

    assert text.count("<details>") == 30
    assert "left out here" not in text
    assert "more:" not in text


def test_a_fold_too_long_for_the_comment_loses_its_rows_before_it_is_dropped() -> None:
    review = full_review()
    (first, *others) = review.data
    long = compared(show_text=True, text="x" * 500)
    long = replace(long, pairs=long.pairs * 50)

    text = plan_markdown(
        replace(review, data=(replace(first, compared=long), *others)), most=12_000
    )

    assert "<code>emotion</code>: replace" in text
    assert "line 12 → 12" not in text.partition("<code>grader</code>")[0]
    assert "Rows that changed are not all told of one by one here" in text


def test_texts_of_rows_are_shown_only_on_request_and_masked() -> None:
    quiet, loud = compared(), compared(show_text=True)
    texts = []
    for one in (quiet, loud):
        data = (DataChange("d.jsonl", ("emotion",), "training", 9, one),)
        review = replace(full_review(), data=data)
        texts.append(plan_markdown(review) + plan_html(review))

    assert [word in texts[0] for word in ("anger", "gone", "acme.io")] == [False] * 3
    assert [word in texts[1] for word in ("anger", "gone", "acme.io")] == [True, True, False]
    assert "[an e-mail address]" in texts[1]


MASKED = [
    ("mail jane.doe@acme.io, please", '"mail [an e-mail address], please"'),
    ("call +49 171 3920 755 now", '"call [a phone number] now"'),
    ("card 4539 1488 0343 6467.", '"card [a card number]."'),
    ("iban DE89 3704 0044 0532 0130 00", '"iban [an account number (IBAN)]"'),
    ("key sk-proj-Ab3xK9mQ2rT7vW5yZ1cD4fG6hJ8", '"key [redacted]"'),
    ("ghp_" + "Ab3xK9mQ2rT7vW5yZ1cD4fG6hJ8kL0nP2sU4", '"[redacted]"'),
    ({"a": ["x\njane.doe@acme.io"]}, '{"a":["x\\\\n[an e-mail address]"]}'.replace("\\\\", "\\")),
    ({"jane.doe@acme.io": 4539148803436467}, '{"[an e-mail address]":[a card number]}'),
    ("https://jane:geheim@host.io/x", '"https://[redacted]@host.io/x"'),
    ("##[error]x <!-- y", '"\\u0023#[error]x \\u003c!-- y"'),
    ("two\x1b[2J\u202e\ud800", '"two\\u001b[2J\\u202e\\ud800"'),
    (..., "nothing"),
    (None, "null"),
]


@pytest.mark.parametrize(("value", "shown"), MASKED, ids=[one[1] for one in MASKED])
def test_keys_and_persons_are_taken_out_of_texts(value: Any, shown: str) -> None:
    assert masked_text(value) == shown


def test_a_text_with_more_than_can_be_masked_is_left_out() -> None:
    many = " ".join(f"jane.doe{at}@acme{at}.io" for at in range(30))

    assert masked_text(many) == '"[a text with an e-mail address]"'


@pytest.mark.parametrize("before", range(0, 5_400, 270))
def test_a_key_on_the_cut_of_a_long_text_is_not_shown_in_part(before: int) -> None:
    key = "sk-proj-Ab3xK9mQ2rT7vW5yZ1cD4fG6hJ8kL0nP2sU4"

    shown = masked_text("x " * (before // 2) + key + " y" * 5_000)

    assert len(shown) <= MOST_SHOWN
    assert "Ab3x" not in shown


def test_what_a_cut_leaves_half_is_not_shown() -> None:
    long = "sk-proj-" + "Ab3xK9mQ2r" * 498 + " jane.doe@acme.io"

    assert "jane" not in masked_text(long)


@given(st.recursive(st.none() | st.text(max_size=9), st.lists, max_leaves=5))
@often
def test_json_in_a_log_is_the_same_json(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert json.loads(json_in_log(text)) == value


def test_400_long_values_are_masked_in_bounded_time() -> None:
    evil = "a" * 5_000 + "4539 1488 " * 500 + "a@" * 500 + "+4" * 500
    begun = process_time()

    for _ in range(400):
        masked_text(evil)

    assert process_time() - begun < 20
