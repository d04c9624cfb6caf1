"""A script under a temperament, with a fault: what was bought, whether it settles, what it says."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ftctl.emulator import Settings
from simulation.proof import Clean, Proof
from simulation.scripts import APPLY
from simulation.tally import TALLY
from simulation.wires import Break, Endless, Killed
from simulation.world import Bill, Ended, Print, Strides, World

# Files are validated for longer than a repeated cancel takes: at 0.4 seconds, a job that is stopped
# for being another than was asked for would have begun to train, free of charge.
SERVICE = Settings(validating_seconds=20, queued_seconds=2, running_seconds=4)
MOST_ROUNDS = 5  # of the same command, until nothing changes any more
LATE = 60.0  # seconds between two of them: what is late has come by then
MOST_REQUESTS = 1_500  # of one run
MOST_PAUSES = 600  # of one run
LONG_STRIDE = 15.0  # seconds of each pause where a wait goes on until its timeout
MOST_ALIKE = 1  # requests of a run that are of one kind and follow one of the same kind


@dataclass(frozen=True)
class Way:
    """A temperament to be simulated; what ftctl is to make of it.

    `refuses`: a pattern of the sentence with which it stops where it cannot go on. None: it goes
    on as at an honest service.
    """

    slug: str
    refuses: str | None = None
    keeps_files: bool = False  # ours that a stranger uses stay
    other_steps: bool = False  # what is trained has checkpoints at other steps
    seconds: float = 0.0  # that each request takes
    timeout: str | None = None  # of a wait that would go on for as long as the service says nothing

    @property
    def name(self) -> str:
        return self.slug.partition("=")[0]


WAYS: tuple[Way, ...] = (
    Way("lagging-list=0.4"),
    Way("lagging-list=3"),
    Way("lagging-list=30"),
    Way("lagging-list=60"),
    Way("filter-finds-nothing"),
    Way("filter-ignored"),
    Way("filter-refused"),
    Way("metadata-dropped", refuses="mark: file-name|(without our|no) mark"),
    Way("metadata-refused", refuses="mark: file-name"),
    Way("models-hidden", refuses="--replace"),
    Way("model-late=120"),
    Way("no-model-name", refuses="model's name", timeout="12m"),
    Way("names-shortened=40", refuses="mark: metadata"),
    Way("file-pending=20"),
    Way("statuses-respelled"),
    Way("unknown-status", refuses="in_review|cannot be cancelled", timeout="12m"),
    Way("list-without-end", refuses="does not end", seconds=10.0),
    Way("slow-bytes", refuses="no answer|second", seconds=1.0),
    Way("strangers-job", refuses="without our mark", keeps_files=True),
    Way("odd-jobs"),
    Way("hyperparameters-changed", refuses="trains with", other_steps=True),
    Way("delete-refused", refuses="may not do this"),
    Way("cancel-refused", refuses="may not do this|could not be cancelled"),
)
BY_SLUG: Mapping[str, Way] = {way.slug: way for way in WAYS}


@dataclass(frozen=True)
class Outcome:
    """What became of one point; `faults` is empty where all is well."""

    faults: tuple[str, ...]
    said: str


def trace_of(proof: Proof, way: Way, name: str) -> tuple[str, ...]:
    """What the script's command asks for under the temperament, where nothing breaks."""
    key = (way.slug, name)
    if key not in _TRACES:
        clean = proof.clean(name, SERVICE)
        world = _world(proof, clean, way)
        plan = _break(world, way, {})
        with suppress(Endless):
            world.run(*clean.script.command, wire=plan)
        _TRACES[key] = tuple(plan.trace)
        shutil.rmtree(world.folder)
    return _TRACES[key]


_TRACES: dict[tuple[str, str], tuple[str, ...]] = {}


def play(proof: Proof, way: Way, name: str, faults: Mapping[int, str]) -> Outcome:
    """Break requests of a script's command, go on until nothing changes, then let it be honest."""
    clean = proof.clean(name, SERVICE)
    world = _world(proof, clean, way)
    found: list[str] = []
    said = Ended(0, ())
    try:
        try:
            said = _run(world, way, clean.script.command, faults) or said
            rest = _rest(world, way, clean.script.again)
            said = Ended(rest.status, (*said.lines, *rest.lines))
            _check_told(way, said)
        except Endless:
            found.append("stuck: it goes on for ever")
        except AssertionError as fault:
            found.append(f"stuck: {fault}")
        found += _bought_twice(world.bill(), clean.bill)
        found += _touched(world, clean)
        world.temper()
        try:
            _heal(world, clean.script.again)
        except (AssertionError, Endless) as fault:
            found.append(f"stuck once it is honest: {fault}")
        found += _bought_twice(world.bill(), clean.bill)
        found += _touched(world, clean)
        if not any(one.startswith("stuck") for one in found):
            found += _other_end(world.fingerprint(), clean.found, way)
    finally:
        shutil.rmtree(world.folder)
    # With a fault, much of what is said is about that.
    said = said if not faults else Ended(0, ())
    return _counted(way, Outcome(tuple(dict.fromkeys(found)), sentence(said)))


def points(proof: Proof, way: Way, name: str) -> list[int]:
    """The requests that are worth breaking: of the same one over and over, the first."""
    trace = trace_of(proof, way, name)
    seen: Counter[tuple[str, ...]] = Counter()
    chosen = []
    for number, kind in enumerate(trace):
        seen[kind, trace[number - 1] if number else ""] += 1
        if seen[kind, trace[number - 1] if number else ""] <= MOST_ALIKE:
            chosen.append(number)
    return chosen


def _world(proof: Proof, clean: Clean, way: Way) -> World:
    world = proof.world(clean)
    world.temper(way.slug)
    return world


def _break(world: World, way: Way, faults: Mapping[int, str]) -> Break:
    def takes_time() -> None:
        world.clock.time += way.seconds

    _patience(world, way)
    return Break(faults, most=MOST_REQUESTS, on_request=takes_time)


def _patience(world: World, way: Way) -> None:
    """So many pauses from now on; slow bytes are pauses of their own."""
    assert isinstance(world.clock, Strides)
    world.clock.slept = 0
    world.clock.stride = 1.3 if way.timeout is None else LONG_STRIDE
    world.clock.most = None if way.name == "slow-bytes" else MOST_PAUSES


def _run(world: World, way: Way, command: Sequence[str], faults: Mapping[int, str]) -> Ended | None:
    plan = _break(world, way, faults)
    if way.timeout is not None and "--wait" in command:
        command = (*command, "--timeout", way.timeout)
    try:
        ended: Ended | None = world.run(*command, wire=plan)
    except Killed:
        assert plan.dead
        ended = None
    assert plan.after_death == 0, "a dead process asked for something"
    assert ended is None or ended.status != 70, ended.text
    TALLY.kinds.update(plan.applied)
    return ended


def _rest(world: World, way: Way, again: tuple[str, ...]) -> Ended:
    """The command again and again until nothing changes; what it and its plan said then."""
    before: object = None
    for _ in range(MOST_ROUNDS):
        world.clock.time += LATE
        ended = _run(world, way, again, {})
        plan = _run(world, way, _look(again), {})
        assert ended is not None
        assert plan is not None
        both = Ended(max(ended.status, plan.status), (*ended.lines, *plan.lines))
        if both.status == 0:
            return both
        # What was stopped before it trained may be asked for at each --retry-failed.
        now = (both.status, world.bill().trained, world.fingerprint())
        if now == before and way.refuses is not None:
            return both
        before = now
    raise AssertionError(f"not at rest after {MOST_ROUNDS} × {again}: {_short(both)}")


def _check_told(way: Way, said: Ended) -> None:
    """Whoever is left with something undone reads why, and what to do."""
    if said.status and way.refuses is not None:
        told = re.search(f"{way.refuses}|--retry-failed", said.text)
        assert told, f"nothing says '{way.refuses}': {_short(said)}"


def _short(ended: Ended) -> str:
    return _OF_ROWS.sub("", ended.text)


def _look(again: tuple[str, ...]) -> tuple[str, ...]:
    if again[0] == "destroy":
        return ("destroy", "--approve", "none")
    options = [word for word in again if word in ("--prune", "--retry-failed")]
    return ("plan", "--detailed-exitcode", *options)


def _heal(world: World, again: tuple[str, ...]) -> None:
    """At an honest service, with the steps that are named: all is as after one clean run."""
    assert isinstance(world.clock, Strides)
    world.clock.slept, world.clock.most, world.clock.stride = 0, MOST_PAUSES, 1.3
    for _ in range(3):
        world.clock.time += 120
        ended = world.run(*again)
        plan = world.run(*_look(again))
        if plan.status == 0 and "--retry-failed" not in plan.text:
            return
        # A person knows which job is a stranger's; nobody else buys beside it.
        beside = re.findall(r"^! ([\w-]+): attention, .*without our mark", plan.text, re.MULTILINE)
        for name in beside:
            world.run(*APPLY, "--replace", name)
        if "--retry-failed" in plan.text and "--retry-failed" not in again:
            again = (*again, "--retry-failed")
    both = Ended(plan.status, (*ended.lines, *plan.lines))
    raise AssertionError(f"{again} does not settle: {_short(both)}")


def _bought_twice(bill: Bill, clean: Bill) -> list[str]:
    twice = bill.trained - clean.made
    return [f"bought twice: {sum(twice.values())}"] if twice else []


def _touched(world: World, clean: Clean) -> list[str]:
    found = []
    if world.fingerprint().strangers != clean.found.strangers:
        found.append("strangers touched: other projects")
    theirs = [job for job in world.jobs() if world.is_of_strangers(job)]
    known = {one["id"] for one in world.ask("GET", "/models")["data"]}
    for job in theirs:
        if job["status"] == "cancelled":
            found.append("strangers touched: a job was cancelled")
        if job["fine_tuned_model"] and job["fine_tuned_model"] not in known:
            found.append("strangers touched: a model was deleted")
    return found


def _other_end(found: Print, wanted: Print, way: Way) -> list[str]:
    if way.keeps_files:
        found = replace(found, files=wanted.files)
    if way.other_steps:
        found, wanted = (replace(one, models=_whole(one.models)) for one in (found, wanted))
    return [] if found == wanted else [f"another end: {_difference(found, wanted)}"]


def _whole(models: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(model for model in models if ":ckpt" not in model)


def _difference(found: Print, wanted: Print) -> str:
    names = ("live", "models", "files")
    return "; ".join(
        f"{name}: {getattr(found, name)} instead of {getattr(wanted, name)}"
        for name in names
        if getattr(found, name) != getattr(wanted, name)
    )


# The scripts' own data has findings, each with its hint.
_OF_ROWS = re.compile(r"^\S+:\d+(?::\d+)?: warning\[.*\n(?: +hint: .*(?:\n|$))?", re.MULTILINE)
_TOLD = re.compile(r"^(?:error|warning|hint|note)\b|^\s*hint:|^! |attention", re.IGNORECASE)
_IDS = re.compile(r"\b(ftjob-|file-(?!name)|ft:|req_)[\w:.-]+")
_MOST_LINES = 4


def sentence(ended: Ended) -> str:
    """What a user reads: the errors, warnings and hints; the last line where there is none."""
    text = _OF_ROWS.sub("", ended.text)
    lines = [line.strip() for line in text.splitlines()]
    told = [line for line in lines if _TOLD.search(line)]
    shown = told or [line for line in lines if line][-1:]
    plain = (_IDS.sub(lambda found: f"{found[1]}…", line) for line in shown)
    return " | ".join([*dict.fromkeys(plain)][:_MOST_LINES])


def _counted(way: Way, outcome: Outcome) -> Outcome:
    TALLY.ways[way.slug, "points"] += 1
    for what in ("bought twice", "stuck", "strangers touched"):
        TALLY.ways[way.slug, what] += any(one.startswith(what) for one in outcome.faults)
    if outcome.said:
        TALLY.sentences[way.slug, outcome.said] += 1
    return outcome
