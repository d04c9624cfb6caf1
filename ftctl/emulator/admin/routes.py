"""A request under `/_ftctl/` -> its handler, or the file of the web page that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from ftctl.emulator.admin import clock, faults, snapshot, state
from ftctl.emulator.admin.desk import AdminHandler
from ftctl.emulator.wire import ApiError, Request, Response

ROOM = "/_ftctl/"

ADMIN_ROUTES: tuple[tuple[str, str, AdminHandler], ...] = (
    ("GET", "health", state.health),
    ("POST", "reset", state.reset),
    ("GET", "state", state.state),
    ("GET", "jobs/{job_id}/curve", state.curve),
    ("GET", "journal", faults.show_journal),
    ("DELETE", "journal", faults.clear_journal),
    ("GET", "faults", faults.show_faults),
    ("PUT", "faults", faults.set_faults),
    ("POST", "faults", faults.add_faults),
    ("DELETE", "faults", faults.drop_faults),
    ("GET", "clock", clock.show_clock),
    ("PUT", "clock", clock.set_clock),
    ("POST", "clock/advance", clock.advance_clock),
    ("GET", "snapshot", snapshot.take_snapshot),
    ("PUT", "snapshot", snapshot.restore_snapshot),
)
"""Method, path below the room and handler; `{name}` is one segment."""

# For whatever comes from here: nobody frames it, guesses its type, keeps it, or loads it elsewhere.
_GUARDS = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
)
_PAGE_GUARD = (
    "content-security-policy",
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
)


@dataclass(frozen=True, slots=True)
class AdminMatch:
    """A handler with the decoded parameters of the path."""

    handler: AdminHandler
    path: dict[str, str]


def find_admin(method: str, path: str) -> AdminMatch | tuple[str, ...]:
    """The route for the percent-encoded path, or the methods that the path has: none if unknown."""
    allowed = []
    for route_method, pattern, handler in _COMPILED:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        if route_method == method:
            # Half characters, which only an in-process caller can send, would not fit into SQL.
            texts = {name: unquote(text) for name, text in found.groupdict().items()}
            return AdminMatch(handler, {name: _whole(text) for name, text in texts.items()})
        allowed.append(route_method)
    return tuple(allowed)


def page_file(request: Request) -> Response | None:
    """The page, one of its files, or the way to it; None for a path that is not the page's."""
    if request.path in ("/", ROOM.rstrip("/")) and request.method == "GET":
        return Response(302, (("location", ROOM), _PAGE_GUARD), b"")
    if not request.path.startswith(ROOM) or find_admin(request.method, request.path):
        return None
    from ftctl.emulator.page import asset

    found = asset(request.path.removeprefix(ROOM))
    if found is None:
        return None
    if request.method != "GET":
        message = f"{request.method} is not a method of {request.path}; try GET."
        raise ApiError(405, message, code="method_not_allowed", headers=(("allow", "GET"),))
    kind, content = found
    return Response(200, (("content-type", kind), _PAGE_GUARD), content)


def guarded(response: Response) -> Response:
    """The same answer, for a browser to handle with care."""
    return replace(response, headers=(*response.headers, *_GUARDS))


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _compiled(template: str) -> re.Pattern[str]:
    return re.compile(ROOM + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


_COMPILED = tuple((method, _compiled(path), handler) for method, path, handler in ADMIN_ROUTES)
