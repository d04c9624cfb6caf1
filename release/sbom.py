"""A lock, a Python with it installed and a wheel in; what the wheel runs on, as CycloneDX, out.

    python -I release/sbom.py --environment .venv-runtime/bin/python --lock ci/requirements.txt \\
        --wheel dist/ftctl-1.2.0-py3-none-any.whl

Licences and who needs whom are read by cyclonedx-py from what is installed; hashes come from the
lock, the version and the subject from the wheel. The same input is the same bytes: the serial
number is made of the content, the time is SOURCE_DATE_EPOCH's or none.
"""

from __future__ import annotations

import argparse
import email.parser
import hashlib
import json
import re
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

SPECIFICATION = "1.6"
_ROOT = Path(__file__).resolve().parent.parent

# Its metadata has the licence's text and no name of it; read on 2026-11-30.
_LICENCES = {"tiktoken": "MIT"}


class NoSbom(Exception):
    """Why none can be made, in a sentence."""


@dataclass(frozen=True)
class Pin:
    """One release of the lock, and the SHA-256 of each file that may be installed for it."""

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]


def make_sbom(environment: Path, lock: str, wheel: Path) -> str:
    """The document as text, checked against the schema of CycloneDX.

    Raises NoSbom where what is installed is not what the lock says, or a licence is not known.
    """
    pins = {pin.name: pin for pin in _meant_for(environment, list(_pins(lock)))}
    described = _describe(environment)
    components = [
        _completed(component, pins[canonicalize_name(component["name"])])
        for component in described["components"]
        if canonicalize_name(component["name"]) in pins
    ]
    installed: dict[str, str] = {
        canonicalize_name(one["name"]): one["version"] for one in components
    }
    astray = sorted(name for name, pin in pins.items() if installed.get(name) != pin.version)
    if astray:
        raise NoSbom(f"not installed as {', '.join(astray)} stand in the lock")
    subject = _subject(described["metadata"]["component"], wheel)
    document = {
        **described,
        "components": components,
        "dependencies": list(_graph(described["dependencies"], components, subject)),
        "metadata": {**described["metadata"], "component": subject},
    }
    content = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, content.hexdigest()).urn
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    fault = JsonStrictValidator(SchemaVersion.from_version(SPECIFICATION)).validate_str(text)
    if fault is not None:
        raise NoSbom(f"what was made does not keep the schema: {fault}")
    return text


def _describe(environment: Path) -> dict[str, Any]:
    """What cyclonedx-py says of everything that this Python has installed."""
    command = [
        *(sys.executable, "-I", "-m", "cyclonedx_py", "environment", "--output-reproducible"),
        *("--no-validate", "--pyproject", str(_ROOT / "pyproject.toml")),  # validated when whole
        *("--spec-version", SPECIFICATION, "--output-format", "JSON", str(environment)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoSbom(done.stderr.strip())
    described: dict[str, Any] = json.loads(done.stdout)
    return described


def _pins(lock: str) -> Iterator[Pin]:
    for entry in re.split(r"(?m)^(?=[^\s#])", re.sub(r"(?m)^ *#.*\n", "", lock)):
        if not entry.strip():
            continue
        line = entry.partition("\\")[0].strip()
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            raise NoSbom(f"the lock holds more than pins: {line}") from None
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
        if [one.operator for one in requirement.specifier] != ["=="] or not hashes:
            raise NoSbom(f"the lock leaves {requirement.name} open")
        (exactly,) = requirement.specifier
        name = canonicalize_name(requirement.name)
        yield Pin(name, exactly.version, requirement.marker, hashes)


def _meant_for(environment: Path, pins: Iterable[Pin]) -> Iterator[Pin]:
    """Those that this Python on this system is to install."""
    script = (
        "import json, os, platform, sys; print(json.dumps({"
        "'implementation_name': sys.implementation.name, 'os_name': os.name,"
        "'platform_machine': platform.machine(), 'sys_platform': sys.platform,"
        "'platform_python_implementation': platform.python_implementation(),"
        "'python_full_version': platform.python_version(),"
        "'python_version': '.'.join(platform.python_version_tuple()[:2])}))"
    )
    command = [str(environment), "-I", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    place: dict[str, str] = json.loads(done.stdout)
    return (pin for pin in pins if pin.marker is None or pin.marker.evaluate(place))


def _completed(component: Mapping[str, Any], pin: Pin) -> dict[str, Any]:
    """The component with its hashes, and a licence where its metadata names none."""
    licences = component.get("licenses") or [
        {"license": {"acknowledgement": "declared", "id": known}}
        for known in [_LICENCES.get(pin.name)]
        if known
    ]
    if not licences:
        raise NoSbom(f"{pin.name} {pin.version} does not say under which licence it is")
    distribution = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{pin.name}/{pin.version}/#files",
        "comment": "any one of these files",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in sorted(pin.hashes)],
    }
    # Where its sources are. Pages for people are many, and each takes the schema's check a while.
    sources = [one for one in component.get("externalReferences", []) if one["type"] == "vcs"]
    return {**component, "licenses": licences, "externalReferences": [distribution, *sources]}


def _subject(component: Mapping[str, Any], wheel: Path) -> dict[str, Any]:
    """The package itself, as the wheel says what it is."""
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.parser.Parser().parsestr(archive.read(inside).decode())
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return {
        **component,
        "version": metadata["Version"],
        "purl": f"pkg:pypi/{metadata['Name']}@{metadata['Version']}?file_name={wheel.name}",
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _graph(
    edges: Iterable[Mapping[str, Any]],
    components: Iterable[Mapping[str, Any]],
    subject: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """Who needs whom, among what is listed."""
    listed = {component["bom-ref"] for component in components} | {subject["bom-ref"]}
    for edge in edges:
        if edge["ref"] in listed:
            needs = [ref for ref in edge.get("dependsOn", []) if ref in listed]
            yield {"ref": edge["ref"], **({"dependsOn": needs} if needs else {})}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--lock", type=Path, required=True)
    parser.add_argument("--wheel", type=Path, required=True)
    options = parser.parse_args()
    try:
        lock = options.lock.read_text("utf-8")
        sys.stdout.write(make_sbom(options.environment, lock, options.wheel))
    except NoSbom as error:
        sys.stderr.write(f"no SBOM: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
