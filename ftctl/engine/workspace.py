"""A project's folder in; validated, planned, applied, waited for and recorded: the whole workflow.

Nothing is printed here, and nobody is asked: whoever wants to know listens, and what is decided is
handed over as a value. The command line is one caller, a program of yours another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from ftctl.apply.executor import known_ids
from ftctl.clock import Clock, SystemClock
from ftctl.domain.observed import Observed
from ftctl.domain.plan import DeleteModel, Plan, Report
from ftctl.domain.plan_document import Approval, approval_of
from ftctl.domain.review import Review
from ftctl.engine.context import (
    AskAddress,
    AskCommand,
    RunContext,
    Wire,
    addresses_from,
    commands_from,
)
from ftctl.engine.events import Event, Listener, Reconciled, nobody
from ftctl.engine.execute import Executor
from ftctl.engine.fitting import require_fit
from ftctl.engine.observing import observe
from ftctl.engine.plan_files import find_plan, is_digest
from ftctl.engine.planning import (
    PlanRequest,
    merge_saved_options,
    options_for,
    priced_plan,
    protected_models,
    scope_of,
)
from ftctl.engine.record import forget_models, offline_snapshot, write_lock
from ftctl.engine.review import (
    refuse_unknown,
    require_allowed,
    require_applicable,
    require_children,
    review,
)
from ftctl.engine.run_events import RunEnd, RunEvents
from ftctl.engine.running import (
    Running,
    RunningJob,
    Steered,
    cancel_jobs,
    pause_jobs,
    resume_jobs,
    running_jobs,
    wait_for_jobs,
)
from ftctl.engine.selecting import names_meant, resolve_request
from ftctl.engine.session import Session, Validation, check_project, open_session
from ftctl.errors import FtctlError, Interrupted, ProviderError, Stale, UsageError, WaitTimeout
from ftctl.planner.approval import Remaining, reconcile, unite
from ftctl.planner.lineage import lineage
from ftctl.planner.retention import make_destroy_plan
from ftctl.text.escape.single_line import one_line

if TYPE_CHECKING:
    from ftctl.domain.run_result import RunResult
    from ftctl.providers import Client, Provider


class Workspace:
    """A project in a folder, and the service that trains for it.

    Each method reads the manifests, the data and the service anew. In a `with` block they share
    one reading of the project and one connection: a block is one run.

        with ftctl.Workspace.open("support") as workspace:
            report = workspace.apply(workspace.plan())
            report = workspace.wait(report)
            print(report.models)

    Faults of the project, the world and the user are `FtctlError`; nothing else is expected.
    """

    def __init__(self, context: RunContext) -> None:
        self._events = RunEvents()
        self.context = replace(context, listener=self._listen)
        self._listener = context.listener
        self._stack: ExitStack | None = None
        self._session: Session | None = None
        self._provider: Client | None = None
        self._planned: _Planned | None = None
        self._observed: Observed | None = None
        self._reviewed: Review | None = None
        self._report: Report | None = None
        self._purchases: frozenset[str] = frozenset()
        self._bought: dict[str, str | None] = {}

    def _listen(self, event: Event) -> None:
        self._events(event)
        self._listener(event)

    @classmethod
    def open(
        cls,
        root: str | os.PathLike[str],
        *,
        environment: str | None = None,
        base_revision: str | None = None,
        clock: Clock | None = None,
        events: Listener = nobody,
        environ: Mapping[str, str] | None = None,
        wire: Wire | None = None,
        allow_addresses: Iterable[str] = (),
        ask_address: AskAddress | None = None,
        allow_commands: Iterable[str | Iterable[str]] = (),
        ask_command: AskCommand | None = None,
    ) -> Workspace:
        """The workspace of a folder with an ftctl.yaml. Nothing is read yet.

        `environment` is one of ftctl.yaml's. `base_revision` is the git revision that a change goes
        to: settings are those of its ftctl.yaml, and data is compared with it. `events` hears what
        a run tells of itself. `environ` holds the keys, `os.environ` if left out. `wire` stands
        between ftctl and the embedded API, for tests that break things.

        `allow_addresses` are those that keys may go to, with what is below them, though the user
        has not sent them there yet. `ask_address` is asked about any other, once; without it, such
        an address is a problem of the project. `allow_commands` and `ask_command` are the same for
        programs that ftctl.yaml has run.
        """
        return cls(
            RunContext(
                root=Path(root),
                environment=environment,
                base_revision=base_revision,
                clock=clock or SystemClock(),
                environ=os.environ if environ is None else environ,
                listener=events,
                wire=wire,
                allowed_addresses=addresses_from(allow_addresses),
                ask_address=ask_address,
                allowed_commands=commands_from(allow_commands),
                ask_command=ask_command,
            )
        )

    def __enter__(self) -> Self:
        """Begin a run: the project is read once, and one connection serves it."""
        if self._stack is not None:
            raise UsageError(
                "this workspace is in a run already", "open another one for another run"
            )
        self._stack = ExitStack()
        self._events = RunEvents()
        self._observed = self._reviewed = self._report = None
        self._purchases = frozenset()
        self._bought = {}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the run."""
        stack, self._stack = self._stack, None
        self._session = self._provider = self._planned = None
        if stack is not None:
            stack.__exit__(kind, fault, trace)

    def validate(self) -> Validation:
        """Every problem of manifests and data, and what the project asks for if none is an error.

        The service is not asked. Sources that are addresses are fetched.
        """
        return check_project(self.context)

    def session(self) -> Session:
        """The project, checked, with its data counted; `InvalidProject` with every problem."""
        if self._session is not None:
            return self._session
        session = open_session(self.context)
        if self._stack is not None:
            self._session = session
        return session

    @contextmanager
    def provider(self, session: Session) -> Iterator[Client]:
        """The service: in a run its one connection, else one until the block ends."""
        if self._stack is None:
            with session.provider() as provider:
                yield provider
            return
        if self._provider is None:
            self._provider = self._stack.enter_context(session.provider())
        yield self._provider

    def plan(
        self,
        request: PlanRequest | None = None,
        *,
        approval: Approval | Sequence[Approval] | str | None = None,
        observed: Observed | None = None,
        offline: bool = False,
        show_text: bool = False,
        waits: bool = False,
    ) -> Review:
        """What would be done and why, what it costs, and what the policy says of it.

        Nothing is written. With an `approval`, or the digest of a plan that was made here lately,
        the review is of what is left to do of that; its `moved` says what would now be otherwise.
        Several approvals, oldest first, are one: of each thing counts the last that does anything
        about it.
        `observed`: against this snapshot, and `offline` against ftctl.lock; nobody is asked, and
        the plan can be looked at but not applied. `show_text`: rows that differ from the base are
        in the review. `waits`: children of what is trained now count too.
        Raises `InvalidProject`, also where it buys what the service is known to refuse, and
        `UsageError` for a request that names what there is not.
        """
        if approval is not None and not isinstance(approval, Approval | str):
            approval = unite(tuple(approval))
        session = self.session()
        request = self._in_environment(request)
        offline = offline or observed is not None
        if isinstance(approval, Approval):
            request = merge_saved_options(approval.options, request)
            refuse_unknown(session, approval.digest, request)
        else:
            request = resolve_request(session, request)
        given = observed
        if given is None and offline:
            given = offline_snapshot(session)
        self._observed = observed = self._looked(session, request) if given is None else given
        plan = priced_plan(session, observed, options_for(session, request))
        if isinstance(approval, str):
            approval = None if is_digest(approval, plan) else find_plan(session.root, approval)
            if approval is not None:
                # What it was made with is a part of what was approved.
                if request.document != approval.options:
                    request = merge_saved_options(approval.options, request)
                    if given is None:
                        self._observed = observed = self._looked(session, request)
                refuse_unknown(session, approval.digest, request)
                plan = priced_plan(session, observed, options_for(session, request))
        remaining = Remaining(plan)
        moved: tuple[str, ...] = ()
        self._purchases = approval.purchases if approval is not None else frozenset()
        if approval is not None:
            plan, request, (remaining, moved) = _left_of(approval, session, observed, request, plan)
        shown = plan if moved else remaining.plan
        require_fit(session, shown)
        reviewed = review(
            session,
            shown,
            observed,
            request,
            offline=offline,
            waits=waits,
            show_text=show_text,
        )
        if approval is not None:
            reviewed = replace(
                reviewed,
                approved=approval.digest,
                done=remaining.done,
                unapproved=remaining.unapproved,
                moved=moved,
            )
        self._remember(_Planned(reviewed, observed, plan))
        self._reviewed = reviewed
        return reviewed

    def _looked(self, session: Session, request: PlanRequest) -> Observed:
        """What exists, seen well enough to buy by."""
        try:
            options = options_for(session, request)
        except UsageError:
            raise
        except FtctlError:
            # A record that cannot be read: who looks into it wants to see what there is.
            with self.provider(session) as provider:
                self._observed = provider.observe(session.desired.project)
            raise
        with self.provider(session) as provider:
            return observe(session, provider, options, patient=True)

    def apply(
        self,
        approved: Review | Approval | Sequence[Approval],
        *,
        look_again: bool = True,
        record: bool = True,
        parallelism: int = 4,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Report:
        """Carry out what was approved, and nothing else.

        What of it is done already is left out; where anything would now be another thing, nothing
        is done and `Stale` raised. `look_again=False` trusts the review that this run has just
        made. `Refused` where the policy stands against it. What fails is told in the report, and
        the rest goes on. Once `stopping` says so, nothing more is begun and `Interrupted` raised.
        `record`: ftctl.lock is brought up to date. At most `parallelism` writes at once.
        """
        reviewed = approved if isinstance(approved, Review) else self.plan(approval=approved)
        require_applicable(reviewed)
        if reviewed.destroy:
            raise UsageError("this is a plan to leave nothing", "carry it out with destroy()")
        session = self.session()
        request = replace(self._request(reviewed.options), allow=reviewed.allow)
        with self.provider(session) as provider:
            planned, self._planned = self._planned, None  # it is trusted once
            if planned is None or planned.review is not reviewed or look_again:
                planned = self._looked_again(session, provider, reviewed, request)
            plan = planned.review.plan
            if plan.empty:
                report = Report(plan=plan, known_jobs=known_ids(planned.observed))
            else:
                executor = Executor(
                    session,
                    provider,
                    options_for(session, request),
                    stopping,
                    parallelism,
                    self._bought,
                )
                report = executor.carry_out(plan, planned.observed)
            report = replace(
                report,
                options=reviewed.options,
                waits=reviewed.waits,
                allow=reviewed.allow,
                failed=plan.failed(planned.observed.every_job),
                superseded={one.name: one.reason for one in plan.changes if one.superseded},
            )
            self._report = report
            if plan.empty:
                self._remember(planned)
            if record:
                _record(session, provider, report, planned, parallelism)
        return report

    def _looked_again(
        self, session: Session, provider: Provider, reviewed: Review, request: PlanRequest
    ) -> _Planned:
        """What is left to do of a review now. `Stale` where it would be something else."""
        refuse_unknown(session, reviewed.digest, request)
        options = options_for(session, request)
        observed = observe(session, provider, options, patient=True)
        whole = priced_plan(session, observed, options)
        approval = approval_of(reviewed.plan)
        self._purchases |= approval.purchases
        whole, _request, (remaining, moved) = _left_of(approval, session, observed, request, whole)
        if moved:
            raise Stale(
                "something changed at the service while you were reading: the plan is another now",
                "run the same command again",
                moved,
            )
        require_fit(session, remaining.plan)
        require_allowed(session, remaining.plan, observed, request, waits=reviewed.waits)
        self.context.listener(Reconciled(remaining.done, remaining.unapproved))
        return _Planned(replace(reviewed, plan=remaining.plan), observed, whole)

    def wait(
        self,
        report: Report,
        timeout_seconds: float | None = None,
        *,
        record: bool = True,
        parallelism: int = 4,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Report:
        """Follow the jobs of an apply and start what waits for them, until all is over.

        The report with how each ended. `Refused` where the policy stands against starting what was
        deferred and the review was not made with `waits`. `WaitTimeout` when time is up and
        `Interrupted` after Ctrl-C: the jobs run on. `record`: ftctl.lock is brought up to date,
        also when time is up.
        """
        session = self.session()
        request = self._request(report.options)
        self._require_own(session, report)
        require_children(session, report)
        self._planned = None
        with self.provider(session) as provider:
            executor = Executor(
                session,
                provider,
                options_for(session, request),
                stopping,
                parallelism,
                self._bought,
            )
            with _recorded(session, provider, record=record, parallelism=parallelism):
                self._report = executor.wait(report, timeout_seconds)
                return self._report

    def running(self, names: Iterable[str] = (), *, what: str = "running") -> Running:
        """The jobs of this project that run, of some fine-tunes or of all; none is touched.

        Names may be patterns. `UsageError` for one that fits nothing; `what` says who asked.
        """
        session = self.session()
        with self.provider(session) as provider:
            return running_jobs(session, provider, names, what)

    def cancel(self, jobs: Iterable[RunningJob]) -> tuple[Steered, ...]:
        """Stop jobs of `running()` for good, and touch nothing else: no model, no file."""
        session = self.session()
        self._planned = None
        with self.provider(session) as provider:
            return cancel_jobs(session, provider, jobs)

    def pause(self, jobs: Iterable[RunningJob]) -> tuple[Steered, ...]:
        """Halt jobs of `running()`, where the service can."""
        session = self.session()
        self._planned = None
        with self.provider(session) as provider:
            return pause_jobs(session, provider, jobs)

    def resume(self, jobs: Iterable[RunningJob]) -> tuple[Steered, ...]:
        """Let paused jobs of `running()` go on, where the service can."""
        session = self.session()
        self._planned = None
        with self.provider(session) as provider:
            return resume_jobs(session, provider, jobs)

    def wait_for(
        self,
        names: Iterable[str] = (),
        timeout_seconds: float | None = None,
        *,
        record: bool = True,
        parallelism: int = 4,
    ) -> Report:
        """Follow what runs already, of some fine-tunes or of all, until it is over.

        Nothing is begun, also not what waits for a parent: that is for `wait` and its report.
        Otherwise as `wait`; what was named and does not run is in the report as it stands.
        """
        session = self.session()
        self._planned = None
        with self.provider(session) as provider:
            executor = Executor(session, provider, options_for(session, PlanRequest()))
            with _recorded(session, provider, record=record, parallelism=parallelism):
                self._report = wait_for_jobs(executor, names, timeout_seconds)
                return self._report

    def result(
        self, *, fault: BaseException | None = None, command: Literal["apply", "wait"] = "apply"
    ) -> RunResult:
        """What came of this run, however it ended: what stands, what it cost, what can be done.

        `fault` is what ended it. The service is asked for the losses and checkpoints of what was
        trained, unless it was `fault`; what it does not tell is left out.
        """
        from ftctl.engine.run_results import run_result

        end = RunEnd(
            command, self._events, self._reviewed, self._report, self._observed, self._purchases,
            self._bought, fault,
        )  # fmt: skip
        session = self._session
        if session is None and fault is None:
            session = self.session()
        if session is None or isinstance(fault, ProviderError | Interrupted | KeyboardInterrupt):
            return run_result(self.context, end, session, None)
        try:
            with self.provider(session) as provider:
                return run_result(self.context, end, session, provider)
        except FtctlError:
            return run_result(self.context, end, session, None)

    @property
    def observed(self) -> Observed | None:
        """What exists, as the last plan has seen it, also one that failed; None before any."""
        return self._observed

    def record(self, report: Report | None = None, *, parallelism: int = 4) -> None:
        """Bring ftctl.lock up to what stands now; a fault is only told, what is done is done."""
        session = self.session()
        with self.provider(session) as provider:
            _record(session, provider, report, self._planned, parallelism)

    def _require_own(self, session: Session, report: Report) -> None:
        """Raise `Stale` for a report of another project or service."""
        plan = report.plan
        own = (session.desired.project, session.info)
        if plan is not None and (plan.project, plan.service) != own:
            raise Stale(
                f"the report is of the project {one_line(plan.project)} at"
                f" {one_line(plan.service.base_url)}",
                "wait where it was applied",
            )

    def _in_environment(self, request: PlanRequest | None) -> PlanRequest:
        """The request, in the workspace's environment; `UsageError` where it names another."""
        request, here = request or PlanRequest(), self.context.environment
        if request.environment not in (None, here):
            raise UsageError(
                f"the request is for the environment '{request.environment}', and the workspace for"
                f" {here or 'none'}",
                "name it when the workspace is opened: Workspace.open(…, environment=…)",
            )
        return replace(request, environment=here)

    def _request(self, options: Mapping[str, Any]) -> PlanRequest:
        """The request that a review or report stands for; `Stale` in another environment."""
        here = PlanRequest(environment=self.context.environment)
        return merge_saved_options(options, here) if options else here

    def _remember(self, planned: _Planned) -> None:
        """A run goes on with what it has planned; between runs, everything is looked at anew."""
        if self._stack is not None:
            self._planned = planned

    def plan_destruction(self, request: PlanRequest | None = None) -> Review:
        """What would be cancelled and deleted so that nothing is left, or nothing of some."""
        session = self.session()
        request = request or PlanRequest()
        beyond = (
            request.replace, request.prune, request.retry_failed, request.environment,
            request.changed,
        )  # fmt: skip
        if any(beyond):
            raise UsageError(
                "of a request, only select, exclude, allow and force_destroy count here"
            )
        with self.provider(session) as provider:
            observed = observe(session, provider)
        known = {one.name for one in session.desired.finetunes}
        heirs = lineage(session.desired, observed.jobs)
        known |= {heirs.get(job.id, job.finetune) for job in observed.jobs if job.finetune}
        names = None if request.select is None else names_meant(request.select, known, "--select")
        if request.exclude:
            without = names_meant(request.exclude, known, "--exclude")
            names = tuple(sorted(known)) if names is None else names
            names = tuple(name for name in names if name not in without)
        request = replace(request, select=names, exclude=())
        plan = make_destroy_plan(
            session.desired.project,
            observed,
            session.info,
            None if names is None else frozenset(names),
            protected={} if request.force_destroy else protected_models(session),
            scope=scope_of(session),
            heirs=heirs,
        )
        reviewed = review(session, plan, observed, request, destroy=True)
        self._remember(_Planned(reviewed, observed, plan))
        return reviewed

    def destroy(self, approved: Review, *, stopping: Callable[[], bool] = lambda: False) -> Report:
        """Carry out a plan of `plan_destruction`, of this run; promotions of what went end too."""
        require_applicable(approved)
        planned, self._planned = self._planned, None  # it is trusted once
        if not approved.destroy or planned is None or planned.review is not approved:
            raise UsageError(
                "what is destroyed must have been reviewed in the same run",
                "with workspace: workspace.destroy(workspace.plan_destruction())",
            )
        session = self.session()
        with self.provider(session) as provider:
            options = options_for(session, PlanRequest())  # whose witnesses say what is ours
            executor = Executor(session, provider, options, stopping, parallelism=1)
            report = executor.carry_out(approved.plan, planned.observed)
            write_lock(session, provider)
        if report.ok:
            deleted = approved.plan.steps(DeleteModel)
            forget_models(session, {one.model for one in deleted if isinstance(one, DeleteModel)})
        return report


def _left_of(
    approval: Approval, session: Session, observed: Observed, request: PlanRequest, plan: Plan
) -> tuple[Plan, PlanRequest, tuple[Remaining, tuple[str, ...]]]:
    """What is left of an approval, with the plan of now and the request that it is made by.

    What it has bought once is not asked for once more: it is planned as it stands, so that a second
    failure is told.
    """
    judged = reconcile(approval, plan)
    done = {*judged[0].done}
    used_up = {one.name for one in plan.changes if one.trains and one.name in done}
    if not used_up:
        return plan, request, judged
    known = [finetune.name for finetune in session.desired.finetunes]
    request = request.without_asking_for(used_up, known)
    plan = priced_plan(session, observed, options_for(session, request))
    return plan, request, reconcile(approval, plan)


@contextmanager
def _recorded(
    session: Session, provider: Provider, *, record: bool, parallelism: int
) -> Iterator[None]:
    """Bring ftctl.lock up to date once a wait is over, also when its time is up."""
    try:
        yield
    except WaitTimeout:
        if record:
            write_lock(session, provider, parallelism=parallelism)
        raise
    if record:
        write_lock(session, provider, parallelism=parallelism)


def _record(
    session: Session,
    provider: Provider,
    report: Report | None,
    planned: _Planned | None,
    parallelism: int,
) -> None:
    """Write the record; where nothing was done, what was planned on is what stands."""
    if report is not None and report.plan is not None and report.plan.empty and planned is not None:
        write_lock(session, provider, planned.observed, planned.whole)
    else:
        write_lock(session, provider, parallelism=parallelism)


@dataclass(frozen=True, slots=True)
class _Planned:
    """What a run planned last: the review, what it was made from, and the plan of all."""

    review: Review
    observed: Observed
    whole: Plan
