"""A review in; the sums, rows and sentences that every form of it shows, as plain text, out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ftctl.domain.plan import (
    Action,
    CancelJob,
    Change,
    DeleteFile,
    DeleteModel,
    Estimate,
    Plan,
    StartJob,
)
from ftctl.domain.review import DataChange, Review, Severity, Violation
from ftctl.pricing import total
from ftctl.reports.phrases import SIGNS, signed_usd
from ftctl.text.escape import one_line
from ftctl.text.format import plural, usd, usd_range

# What cannot be undone comes first: it must not stand where a long table is cut.
_ORDER = (
    Action.DELETE,
    Action.CANCEL,
    Action.REPLACE,
    Action.CREATE,
    Action.ATTENTION,
    Action.DEFER,
    Action.NO_OP,
)
NOT_KNOWN = "not known"
_LONGEST_COMMAND = 2_000
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
SHORT_COMMIT = 12  # characters: enough for people, and a machine compares the whole
_SEVERITIES: Sequence[Severity] = ("refused", "warning", "allowed")


@dataclass(frozen=True, slots=True)
class Approving:
    """How a plan is approved by those who read it: with a command, or by merging."""

    command: str = "ftctl apply"  # what applies the plan, but for its approval
    by_merging: bool = False
    commit: str | None = None  # of what is merged: 40 or 64 hexadecimal digits

    @property
    def rest(self) -> str:
        """Where all of a plan stands, in Markdown."""
        if self.by_merging:
            return "the HTML plan, an artifact of this run, has all of it"
        return "`ftctl plan --format html` (or `json`) has all of it"


BY_COMMAND = Approving()


@dataclass(frozen=True, slots=True)
class Row:
    """What happens to one thing, for a table."""

    sign: str
    name: str
    action: str
    why: str
    data: str
    cost: str


@dataclass(frozen=True, slots=True)
class DataRow:
    """How one data file differs from the base's, for a table."""

    path: str
    role: str
    rows: str
    added: str
    removed: str
    changed: str
    tokens: str
    cost: str


def headline(review: Review) -> str:
    """`2 to train, $4.10 to $4.12; 1 model deleted for good; 1 refused by policy`."""
    return "; ".join(_sums(review)) or "nothing to do"


def _sums(review: Review) -> Iterator[str]:
    plan = review.plan
    later = plan.count()[Action.DEFER]
    trained = [f"{len(plan.steps(StartJob)):,} to train"] if plan.steps(StartJob) else []
    trained += [f"{later:,} to train later"] if later else []
    if trained:
        yield ", ".join([*trained, _total_words(plan)])
    if cancelled := len(plan.steps(CancelJob)):
        yield f"{plural(cancelled, 'job')} to cancel"
    if deleted := len(plan.steps(DeleteModel)):
        yield f"{plural(deleted, 'model')} deleted for good"
    if attention := plan.count()[Action.ATTENTION]:
        yield f"{attention:,} needing attention"
    if plan.steps(DeleteFile) and not trained and not cancelled and not deleted:
        yield "only files change"
    for severity, words in (("refused", "refused by policy"), ("allowed", "let pass by --allow")):
        if count := sum(violation.severity == severity for violation in review.policy.violations):
            yield f"{count:,} {words}"


def _total_words(plan: Plan) -> str:
    if not plan.service.billed and not any(
        change.cost and change.cost.billed for change in plan.changes
    ):
        return "free of charge"
    sums = total(plan)
    parts = [] if sums.low is None or sums.high is None else [usd_range(sums.low, sums.high)]
    parts += [f"{sums.hourly:,} billed by the hour"] if sums.hourly else []
    parts += [f"{sums.unknown:,} of unknown price"] if sums.unknown else []
    return ", ".join(parts) or "price not known"


def happening(review: Review) -> tuple[Change, ...]:
    """The changes that a reader should see, what cannot be undone first."""
    changes = [change for change in review.plan.changes if not _at_rest(change)]
    return tuple(sorted(changes, key=lambda change: _ORDER.index(change.action)))


def at_rest(review: Review) -> tuple[str, ...]:
    """The names of all that is as it should be."""
    return tuple(change.name for change in review.plan.changes if _at_rest(change))


def _at_rest(change: Change) -> bool:
    calm = change.action is Action.NO_OP and not change.fields and not change.steps
    return calm and change.reason == f"up to date as {change.model}"


def row_of(review: Review, change: Change) -> Row:
    """A change as a row of the table."""
    return Row(
        SIGNS[change.action],
        change.name,
        change.action.value,
        change.reason,
        "; ".join(_data_words(file) for file in data_of(review, change.name)),
        _cost_of(change),
    )


def _cost_of(change: Change) -> str:
    if change.would_cost is not None:
        return f"buying it: {cost_words(change.would_cost)}"
    return "" if change.cost is None else cost_words(change.cost)


def data_of(review: Review, finetune: str) -> tuple[DataChange, ...]:
    """How the data of one fine-tune changes."""
    return tuple(file for file in review.data if finetune in file.finetunes)


def other_data(review: Review) -> tuple[DataChange, ...]:
    """Data that changes although nothing happens to the fine-tunes that use it."""
    names = {change.name for change in happening(review)}
    return tuple(file for file in review.data if not names & set(file.finetunes))


def users_of(files: Sequence[DataChange]) -> tuple[str, ...]:
    """The fine-tunes that learn from these files."""
    return tuple(dict.fromkeys(name for file in files for name in file.finetunes))


def _data_words(file: DataChange) -> str:
    role = "" if file.role == "training" else "validation "
    if file.compared is None:
        return f"{role}new, {plural(file.rows, 'row')}"
    diff = file.compared.diff
    if diff.empty:
        return f"{role}same rows"
    counts = (("added", diff.added), ("removed", diff.removed), ("changed", diff.changed))
    parts = ", ".join(f"{len(lines):,} {word}" for word, lines in counts if lines)
    return f"{role}{parts}"


def data_row(file: DataChange) -> DataRow:
    """A data file as a row of a table. A file that the base does not have is all new."""
    diff = None if file.compared is None else file.compared.diff
    return DataRow(
        file.path,
        file.role,
        f"{file.rows:,}",
        f"{file.rows if diff is None else len(diff.added):,}",
        "0" if diff is None else f"{len(diff.removed):,}",
        "0" if diff is None else f"{len(diff.changed):,}",
        "not counted" if file.tokens is None else f"{file.tokens:+,}",
        NOT_KNOWN if file.cost is None else signed_usd(file.cost),
    )


def cost_words(cost: Estimate) -> str:
    """`$4.10 to $4.12`, or in as many words why there is no amount."""
    if cost.usd_per_hour is not None:
        words = f"{usd(cost.usd_per_hour)} an hour"
    elif cost.low is None or cost.high is None:
        words = NOT_KNOWN if cost.billed else ""
    else:
        words = usd_range(cost.low, cost.high)
    if cost.billed:
        return words
    return f"free (elsewhere {words})" if words else "free"


def cost_sentences(cost: Estimate) -> str:
    """How the amount comes about, and how old its price is."""
    basis = sentence(cost.basis[:1].upper() + cost.basis[1:])
    if cost.low is None or cost.high is None:
        return basis
    words = cost_words(cost)
    if cost.tokens is not None:
        low, high = cost.tokens
        tokens = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        words += f" for {tokens} trained tokens"
    return f"{sentence(words[:1].upper() + words[1:])} {basis}"


def violations(review: Review) -> tuple[Violation, ...]:
    """The violations of the policy, refusals first."""
    spoken = review.policy.violations
    return tuple(sorted(spoken, key=lambda violation: _SEVERITIES.index(violation.severity)))


def kept(review: Review) -> tuple[str, ...]:
    """The rules that were looked at and have nothing to say."""
    spoken = {violation.rule for violation in review.policy.violations}
    return tuple(rule for rule in review.policy.rules if rule not in spoken)


def to_decide(review: Review, command: str) -> tuple[tuple[str, str, str], ...]:
    """Of each fine-tune that could be bought again: its name, what to type for that, what it costs.

    `command` is what applies the plan. What money cannot mend is not among them.
    """
    return tuple(
        (change.name, f"{command} {option}", cost_words(change.would_cost))
        for change in review.plan.changes
        if change.action is Action.ATTENTION and change.would_cost is not None
        for option in _options_to_buy(change)
    )


def _options_to_buy(change: Change) -> Iterator[str]:
    """What its reason says buys it, as options; of several the first."""
    if f"--replace {change.name}" in change.reason:
        # Of what was replaced in vain, the reason names the job as well.
        named = change.reason.partition(f"--replace {change.name}")[2]
        job = named.split()[0] if named.startswith("=") else ""
        yield f"--replace {change.name}{job}"
    elif "--retry-failed" in change.reason:
        yield f"--retry-failed --select {change.name}"


def attention_words(how: Approving, options: Iterable[str]) -> tuple[str, str]:
    """What comes before and after the commands of `to_decide`; `options` is all that they say."""
    if not how.by_merging:
        return "nothing is bought here by itself. To buy it all the same:", ""
    after = ""
    if any("--retry-failed" in option for option in options):
        after = (
            "In CI, run the job that applies by hand with retry-failed: it buys again what failed"
            " or was cancelled, once."
        )
    return "merging buys nothing for this. To buy it all the same, somebody types:", after


def closing(review: Review, how: Approving = BY_COMMAND) -> str:
    """What the reader can do now."""
    if review.offline:
        return (
            f"Offline: this was planned against {review.snapshot}; nothing here was asked of the"
            " service, and nothing here can be approved."
        )
    if review.plan.empty:
        waiting = review.plan.count()[Action.DEFER]
        if waiting:
            return f"Nothing to do now; {waiting:,} waiting."
        if review.plan.count()[Action.ATTENTION]:
            return "Nothing is done about that by itself: what is marked ! says what to do."
        return "Nothing to do."
    if review.policy.refused:
        if how.by_merging:
            return "The policy refuses this plan: merging buys nothing until that is mended."
        return "The policy refuses this plan: it cannot be applied until that is mended or allowed."
    if how.by_merging:
        return "Merging applies exactly this plan, and nothing else."
    return "Approve exactly this:"


def approval(review: Review, command: str) -> str | None:
    """What to type so that exactly this is done; None where it is too long to be shown or copied.

    `command` is what applies the plan, but for its approval.
    """
    line = f"{command} --approve {review.digest}"
    return line if len(line) <= _LONGEST_COMMAND and line == one_line(line) else None


def is_for_approval(review: Review) -> bool:
    """Whether there is something to approve."""
    return not (review.offline or review.plan.empty or review.policy.refused)


def compared_with(review: Review, how: Approving = BY_COMMAND) -> str:
    """Of which commit the manifests are, and what data is compared with; empty where unknown.

    A commit that is merged is not told here.
    """
    parts = [f"Manifests at commit {review.commit}"] if review.commit and not how.commit else []
    base = review.base or ""
    if how.by_merging and _COMMIT.fullmatch(base):
        base = base[:SHORT_COMMIT]
    parts += [f"{'data' if parts else 'Data'} compared with {base}"] if base else []
    return sentence(", ".join(parts)) if parts else ""


def sentence(text: str) -> str:
    """Text that ends as a sentence does, once."""
    return text.rstrip(". ") + "."
