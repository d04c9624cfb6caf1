"""What a pull request or a cache tries on the installation; what is honest goes on working."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import ROOT, script_at
from forges.tiny_packages import Machine, sha256, write_wheel

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")


INSTALLER = script_at("ci/install.py")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.set_up()
    return machine


# What pip is told. Each of these, set by a pull request's workflow or left in a runner's
# environment by one of its steps, would add a package, put it elsewhere or run a program.


@pytest.mark.parametrize(
    "name",
    [
        "PIP_REQUIREMENT", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "PIP_EDITABLE", "PIP_TARGET",
        "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_PYTHON", "PIP_NO_BINARY", "PIP_LOG",
        "PIP_KEYRING_PROVIDER", "PIP_REQUIRE_VIRTUALENV", "PIP_GROUP", "PIP_SRC", "PIP_DRY_RUN",
        "PIP_CACHE_DIR", "PIP_USE_FEATURE", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP",
        "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "VIRTUAL_ENV", "UV_INDEX_URL", "OPENAI_API_KEY",
        "FTCTL_GITLAB_TOKEN", "GH_TOKEN", "HATCH_CONFIG", "GIT_CONFIG_GLOBAL",
    ],
)  # fmt: skip
def test_a_variable_that_is_no_mirror_does_not_reach_pip(name: str, tmp_path: Path) -> None:
    clean = INSTALLER.clean_environment({name: "/anything"}, tmp_path / "co", tmp_path)

    assert clean == {"HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIP_CONFIG_FILE", "{checkout}/pip.conf"),
        ("PIP_CONFIG_FILE", "pip.conf"),
        ("PIP_CONFIG_FILE", "{checkout}/../checkout/pip.conf"),
        ("PIP_CONFIG_FILE", "{outside}/link/pip.conf"),
        ("HOME", "{checkout}"),
        ("HOME", "{checkout}/home"),
        ("XDG_CONFIG_HOME", "{checkout}/.config"),
        ("XDG_CONFIG_DIRS", "{checkout}/etc"),
        ("SSL_CERT_FILE", "{checkout}/ca.pem"),
        ("NETRC", "{checkout}/.netrc"),
        ("TMPDIR", "{checkout}/tmp"),
        ("PATH", "{checkout}/bin:.:"),
    ],
)
def test_a_path_into_the_checkout_does_not_reach_pip(name: str, value: str, tmp_path: Path) -> None:
    checkout, outside = tmp_path / "checkout", tmp_path / "outside"
    checkout.mkdir()
    outside.mkdir()
    (outside / "link").symlink_to(checkout)
    value = value.format(checkout=checkout, outside=outside)

    clean = INSTALLER.clean_environment({name: value}, checkout, outside)

    assert clean == {"HOME": str(outside)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PIP_INDEX_URL", "https://mirror.acme.example/simple"),
        ("PIP_EXTRA_INDEX_URL", "file:///opt/pypi/simple"),
        ("PIP_FIND_LINKS", "/opt/wheels"),
        ("PIP_CERT", "/etc/ssl/acme.pem"),
        ("PIP_CONFIG_FILE", "/etc/acme/pip.conf"),
        ("HOME", "/home/runner"),
        ("XDG_CONFIG_HOME", "/home/runner/.config"),
        ("HTTPS_PROXY", "http://proxy.acme.example:3128"),
        ("https_proxy", "http://proxy.acme.example:3128"),
        ("SSL_CERT_FILE", "/etc/ssl/acme.pem"),
        ("LD_LIBRARY_PATH", "/opt/hostedtoolcache/Python/3.12.8/x64/lib"),
        ("PATH", "/opt/python/bin:/usr/bin"),
    ],
)
def test_what_a_machine_says_of_its_mirror_is_kept(name: str, value: str, tmp_path: Path) -> None:
    clean = INSTALLER.clean_environment({name: value}, tmp_path / "co", tmp_path)

    assert clean[name] == value


# What lies in the cache. Who may push a branch may have written it.


def _other_bytes(kept: Path, good: Path) -> None:
    write_wheel(kept, "needed", "1.0", {"needed.py": "WORD = 'evil'\n"})


def _another_name(kept: Path, good: Path) -> None:
    """A package that a lock names, as if it were another one."""
    shutil.copy(good, kept / "hatchling-1.0-py3-none-any.whl")


def _another_version(kept: Path, good: Path) -> None:
    shutil.copy(good, kept / "needed-0.9-py3-none-any.whl")


def _unknown(kept: Path, good: Path) -> None:
    write_wheel(kept, "sneaked", "1.0", {"sneaked.py": ""})


def _source(kept: Path, good: Path) -> None:
    shutil.copy(good, kept / "needed-1.0.tar.gz")


def _link(kept: Path, good: Path) -> None:
    (kept / good.name).symlink_to(good)


def _pipe(kept: Path, good: Path) -> None:
    os.mkfifo(kept / good.name)


def _folder(kept: Path, good: Path) -> None:
    (kept / good.name).mkdir()


def _settings(kept: Path, good: Path) -> None:
    (kept / "pip.conf").write_text("[install]\nrequirement = evil.txt\n", "utf-8")
    (kept / "sitecustomize.py").write_text("raise SystemExit(1)\n", "utf-8")


def _path_in_a_name(kept: Path, good: Path) -> None:
    shutil.copy(good, kept / "..needed-1.0-py3-none-any.whl")


@pytest.mark.parametrize(
    "poison",
    [
        _other_bytes, _another_name, _another_version, _unknown, _source, _link, _pipe, _folder,
        _settings, _path_in_a_name,
    ],
    ids=lambda poison: poison.__name__.strip("_"),
)  # fmt: skip
def test_of_a_cache_only_what_a_lock_names_by_its_hash_is_taken(
    poison: Callable[[Path, Path], None], tmp_path: Path
) -> None:
    good = write_wheel(tmp_path, "needed", "1.0", {"needed.py": "WORD = 'good'\n"})
    kept, wheels = tmp_path / "kept", tmp_path / "wheels"
    kept.mkdir()
    wheels.mkdir()
    poison(kept, good)

    taken = list(INSTALLER.take_kept(kept, wheels, {sha256(good): ("needed", "1.0")}))

    assert taken == []
    assert list(wheels.iterdir()) == []


def test_a_cache_that_is_a_link_is_not_read_and_not_written_through(tmp_path: Path) -> None:
    good = write_wheel(tmp_path / "elsewhere", "needed", "1.0", {"needed.py": ""})
    kept, wheels = tmp_path / "kept", tmp_path / "wheels"
    kept.symlink_to(good.parent)
    wheels.mkdir()
    (wheels / "new.whl").touch()

    taken = list(INSTALLER.take_kept(kept, wheels, {sha256(good): ("needed", "1.0")}))
    INSTALLER.keep(kept, wheels)

    assert taken == []
    assert list(good.parent.iterdir()) == [good]
    assert [path.name for path in kept.iterdir()] == ["new.whl"]
    assert not kept.is_symlink()


def test_a_wheel_larger_than_any_of_ours_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = write_wheel(tmp_path / "kept", "needed", "1.0", {"needed.py": ""})
    (tmp_path / "wheels").mkdir()
    pins = {sha256(good): ("needed", "1.0")}

    monkeypatch.setattr(INSTALLER, "MAX_WHEEL_BYTES", good.stat().st_size - 1)
    too_large = list(INSTALLER.take_kept(good.parent, tmp_path / "wheels", pins))
    monkeypatch.setattr(INSTALLER, "MAX_WHEEL_BYTES", good.stat().st_size)
    taken = list(INSTALLER.take_kept(good.parent, tmp_path / "wheels", pins))

    assert (too_large, taken) == ([], [good.name])


@pytest.mark.parametrize("kind", ["nothing", "a file", "a pipe"])
def test_a_cache_that_is_no_folder_is_none_and_becomes_one(tmp_path: Path, kind: str) -> None:
    kept, wheels = tmp_path / "kept", tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "new.whl").touch()
    if kind == "a file":
        kept.write_text("evil", "utf-8")
    elif kind == "a pipe":
        os.mkfifo(kept)

    taken = list(INSTALLER.take_kept(kept, wheels, {}))
    INSTALLER.keep(kept, wheels)

    assert taken == []
    assert [path.name for path in kept.iterdir()] == ["new.whl"]


def test_a_cache_that_can_not_be_written_ends_no_installation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "file").touch()

    INSTALLER.keep(tmp_path / "file" / "kept", tmp_path / "wheels")

    assert "the packages could not be kept for the next run: " in capsys.readouterr().err


# The locks.


@pytest.mark.parametrize(
    ("extras", "names"),
    [
        ([], []),
        (["xlsx"], ["xlsx"]),
        (["s3", "xlsx"], ["s3", "xlsx"]),
        (["remote"], ["https", "s3", "gs", "az", "hf"]),
    ],
)
def test_an_extra_is_its_lock_or_those_of_which_it_is_made(
    extras: list[str], names: list[str]
) -> None:
    runtime, build = INSTALLER.locks(ROOT, extras)

    expected = ["requirements", *(f"requirements-{name}" for name in names)]
    assert [path.stem for path in runtime] == expected
    assert all(path.is_file() for path in (*runtime, build))


@pytest.mark.parametrize("extra", ["build", "dev", "test", "../requirements", "", "S3", "s3 "])
def test_what_is_no_extra_installs_nothing(
    extra: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    with pytest.raises(SystemExit) as ended:
        INSTALLER.locks(ROOT, [extra])

    assert ended.value.code == 1
    known = "aws, az, azure, fast, gs, hf, https, parquet, remote, s3, xlsx"
    assert capsys.readouterr().err == f"ftctl: '{extra}' is no extra of ftctl: there are {known}\n"


def test_each_hash_of_a_lock_stands_for_one_package() -> None:
    lock = ROOT / "ci" / "requirements.txt"
    pins = INSTALLER.pinned([lock])

    assert len(pins) == lock.read_text("utf-8").count("--hash=sha256:")
    names = {name for name, _ in pins.values()}
    assert {"openai", "pydantic-core", "typing-extensions", "numpy"} <= names
    assert len({version for name, version in pins.values() if name == "numpy"}) == 2
    assert len({version for name, version in pins.values() if name == "openai"}) == 1


def test_of_a_files_settings_only_those_of_a_mirror_are_handed_on(tmp_path: Path) -> None:
    named = tmp_path / "pip.conf"
    named.write_text(
        "[global]\nindex-url = https://one.example/simple\nconstraint = c.txt\ntimeout = 7\n"
        "trusted-host =\n    a.example\n    b.example\nextra-index-url = https://x.example\n"
        "[install]\nindex-url = https://two.example/simple\nrequirement = evil.txt\n"
        "target = /tmp\nno-binary = :all:\nuser = true\n[freeze]\ntimeout = 9\n",
        "utf-8",
    )
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path),
        "PIP_CONFIG_FILE": str(named), "PIP_EXTRA_INDEX_URL": "https://y.example",
    }  # fmt: skip

    found = INSTALLER.mirror(environ, tmp_path)

    machine = {"PIP_CERT", "PIP_FIND_LINKS"}  # what the machine of the test says itself
    assert {name: value for name, value in found.items() if name not in machine} == {
        "PIP_INDEX_URL": "https://two.example/simple",
        "PIP_TIMEOUT": "7",
        "PIP_TRUSTED_HOST": "a.example b.example",
        "PIP_EXTRA_INDEX_URL": "https://y.example",
        "PIP_CONFIG_FILE": os.devnull,
    }


# The whole step, with the real pip, from an empty environment.


def _trap(machine: Machine) -> dict[str, str]:
    """All that a pull request can leave in its checkout, and variables that lead to it."""
    sprung = f"open({str(machine.folder / 'sprung')!r}, 'w')\n"
    evil = write_wheel(machine.checkout / "evil", "sneaked", "1.0", {"sneaked.py": ""})
    (machine.checkout / "evil.txt").write_text(
        f"sneaked==1.0 --hash=sha256:{sha256(evil)}\n", "utf-8"
    )
    modules = (
        "sitecustomize", "usercustomize", "venv", "pip", "ensurepip", "json", "zipfile", "ftctl",
        "needed", "hatchling", "argparse", "ast", "re",
    )  # fmt: skip
    for name in modules:
        (machine.checkout / f"{name}.py").write_text(sprung, "utf-8")
    settings = f"[install]\nrequirement = {machine.checkout}/evil.txt\nfind-links = {evil.parent}\n"
    for name in ("pip.conf", "pip.ini", ".config/pip/pip.conf", ".pip/pip.conf", "setup.cfg"):
        path = machine.checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings, "utf-8")
    (machine.checkout / ".python-version").write_text("2.7\n", "utf-8")
    (machine.checkout / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["sneaked"]\nbuild-backend = "sneaked"\n', "utf-8"
    )
    return {
        "PYTHONPATH": str(machine.checkout),
        "PYTHONHOME": str(machine.checkout),
        "PYTHONSTARTUP": str(machine.checkout / "json.py"),
        "PIP_CONFIG_FILE": str(machine.checkout / "pip.conf"),
        "PIP_REQUIREMENT": str(machine.checkout / "evil.txt"),
        "PIP_TARGET": str(machine.checkout / "target"),
        "PIP_PYTHON": str(machine.checkout / "python"),
        "PIP_NO_BINARY": ":all:",
        "VIRTUAL_ENV": str(machine.checkout),
    }


def test_nothing_of_a_checkout_reaches_the_installation(machine: Machine) -> None:
    machine.use_mirror()
    traps = _trap(machine)
    before = sorted(machine.checkout.rglob("*"))

    done = machine.install(**traps)

    assert done.returncode == 0, done
    assert done.stdout.startswith("ftctl 9.9 good and 2 packages, 0 of them kept from before, in ")
    assert machine.installed() == ["ftctl-9.9.dist-info", "needed-1.0.dist-info"]
    assert not (machine.folder / "sprung").exists()
    assert sorted(machine.checkout.rglob("*")) == before
    path = (machine.folder / "github-path").read_text("utf-8").strip()
    assert list(Path(path).iterdir()) == [machine.program]


@pytest.mark.parametrize("way", ["variable", "user's settings", "named settings"])
def test_a_mirror_of_the_machines_own_serves(
    machine: Machine, way: str, pytestconfig: pytest.Config
) -> None:
    """In the short form one way as a whole: the user's settings serve in the tests around it, and
    that variables reach pip stands further up."""
    if way != "named settings" and not pytestconfig.getoption("--attack-all"):
        pytest.skip("only with --attack-all")
    variables: Mapping[str, str] = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(machine.mirror)}
    if way == "user's settings":
        variables = {}
        machine.use_mirror()
    elif way == "named settings":
        named = machine.folder / "acme.conf"
        # A mirror for installing alone, beside settings that must not count.
        named.write_text(
            f"[global]\nconstraint = {machine.folder}/no-such-file\ntarget = {machine.folder}/t\n"
            f"[install]\nno-index = true\nfind-links = {machine.mirror}\n",
            "utf-8",
        )
        variables = {"PIP_CONFIG_FILE": str(named)}

    done = machine.install(INPUT_EXTRAS="most", **variables)

    assert done.returncode == 0, done
    assert machine.installed() == [
        "ftctl-9.9.dist-info", "more-3.0.dist-info", "needed-1.0.dist-info"
    ]  # fmt: skip


def test_a_mirror_with_other_bytes_installs_nothing(machine: Machine) -> None:
    machine.use_mirror()
    write_wheel(machine.mirror, "needed", "1.0", {"needed.py": "WORD = 'evil'\n"})

    done = machine.install(GITHUB_ACTIONS="true")

    assert done.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr
    assert done.stdout.endswith(
        "::error title=ftctl::what ftctl needs could not be installed: pip says above why\n"
    )
    assert not machine.program.exists()


def test_what_the_lock_lacks_is_not_fetched(machine: Machine) -> None:
    """A dependency that pyproject.toml names and no lock pins."""
    machine.use_mirror()
    machine.lock("requirements", machine.mirror / "more-3.0-py3-none-any.whl")

    done = machine.install()

    assert done.returncode == 1
    assert "needed" in done.stderr
    assert not machine.program.exists()


def test_a_poisoned_cache_costs_a_download_and_the_next_run_none(machine: Machine) -> None:
    machine.use_mirror()
    machine.kept.mkdir()
    write_wheel(machine.kept, "needed", "1.0", {"needed.py": "WORD = 'evil'\n"})
    write_wheel(machine.kept, "sneaked", "1.0", {"sneaked.py": ""})

    first = machine.install()
    shutil.rmtree(machine.mirror)
    second = machine.install()

    assert "ftctl 9.9 good and 2 packages, 0 of them kept" in first.stdout, first
    assert "ftctl 9.9 good and 2 packages, 2 of them kept" in second.stdout, second
    assert sorted(path.name for path in machine.kept.iterdir()) == [
        "hatchling-1.0-py3-none-any.whl", "needed-1.0-py3-none-any.whl"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "extras",
    ["../../checkout/evil", "build", "more;touch sprung", "--help", "all", "$(touch sprung)", "-"],
)
def test_an_extra_is_one_that_has_a_lock(machine: Machine, extras: str) -> None:
    done = machine.install(INPUT_EXTRAS=f"more {extras}")

    assert done.returncode == 1
    assert "is no extra of ftctl: there are more, most" in done.stderr
    assert not list(machine.folder.rglob("sprung"))
