"""A pipeline's story, told as it runs: a transcript of each test here, where somebody wants it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

# Those that take longest, seven minutes of two processors. The others tell one of each kind.
LONG = frozenset(
    {
        "test_a_plan_that_another_apply_outdated_is_labelled_until_it_is_made_again",
        "test_a_queues_group_is_told_on_each_pull_request",
        "test_drift_that_somebody_causes_and_cures",
        "test_a_merge_that_came_too_late_says_so_and_what_to_do",
        "test_gitlab_a_promotion_that_was_taken_back_stays_so[push]",
        "test_gitlab_a_promotion_that_was_taken_back_stays_so[merge-request]",
        "test_gitlab_two_projects_of_one_repository",
        "test_gitlab_the_record_comes_home",
        "test_gitlab_a_job_that_fails_and_is_bought_once_more",
        "test_gitlab_three_merges_in_a_row",
        "test_gitlab_three_merges_where_nobody_keeps_the_order",
        "test_gitlab_a_train_of_two",
        "test_gitlab_two_environments",
        "test_gitlab_an_apply_that_stops_half_way_goes_on",
        "test_a_failed_job_is_no_green_run_and_is_bought_again_once",
        "test_three_merges_while_one_waits",
        "test_a_merge_queue_with_two_in_one_push[merge]",
        "test_a_merge_queue_with_two_in_one_push[rebase]",
        "test_run_this_job_again_after_a_half_done_apply",
        "test_a_label_plans_again_and_another_one_changes_nothing",
        "test_a_pull_request_reads_and_its_merge_buys_without_a_stored_key[azure]",
        "test_a_pull_request_reads_and_its_merge_buys_without_a_stored_key[bedrock]",
        "test_an_older_commits_apply_takes_nothing_of_a_newer_one_out",
        "test_the_lock_comes_home_by_a_pull_request",
        "test_two_that_bring_the_lock_home_at_once_lose_nothing[pull-request-ftctl/lock]",
        "test_two_records_that_do_not_know_each_other_are_both_fetched",
        "test_the_lock_comes_home_by_a_push",
        "test_what_is_none_of_our_records_is_not_taken",
        "test_an_apply_that_is_half_done_in_a_monorepo",
        "test_two_environments_one_after_the_other",
    }
)


def pytest_runtest_setup(item: pytest.Item) -> None:
    names = {item.name, getattr(item, "originalname", item.name)}
    if names & LONG and not item.config.getoption("--stories"):
        pytest.skip("only with --stories")


@dataclass
class Story:
    """What happens in one test, as Markdown."""

    title: str
    lines: list[str] = field(default_factory=list)

    def says(self, sentence: str) -> None:
        """Somebody does something, or something is seen."""
        self.lines += [sentence, ""]

    def shows(self, what: str, text: str) -> None:
        """A comment, a log, a file: as it stands."""
        fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
        self.lines += [f"{what}:", "", f"{fence}text", text.strip("\n"), fence, ""]

    @property
    def markdown(self) -> str:
        return "\n".join([f"# {self.title}", "", *self.lines])


@pytest.fixture
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    """The transcript of this test. FTCTL_STORIES names a folder in which to leave it."""
    name = request.node.name.removeprefix("test_")
    told = Story(name.replace("_", " ").capitalize())
    yield told
    if folder := os.environ.get("FTCTL_STORIES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.md").write_text(told.markdown, "utf-8")
