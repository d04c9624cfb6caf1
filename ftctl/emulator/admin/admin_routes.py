"""A request under `/_ftctl/` -> its handler, or the file of the web page that it names."""

from __future__ import annotations

from dataclasses import replace

from ftctl.emulator.admin import (
    clock_endpoints,
    fault_endpoints,
    snapshot_endpoints,
    state_endpoints,
)
from ftctl.emulator.admin.admin_context import AdminHandler
from ftctl.emulator.http.route_table import Match, RouteTable
from ftctl.emulator.http.wire import ApiError, Request, Response

ROOM = "/_ftctl/"

ADMIN_ROUTES: tuple[tuple[str, str, AdminHandler], ...] = (
    ("GET", "health", state_endpoints.health),
    ("POST", "reset", state_endpoints.reset),
    ("GET", "state", state_endpoints.state),
    ("GET", "jobs/{job_id}/curve", state_endpoints.curve),
    ("GET", "journal", fault_endpoints.show_journal),
    ("DELETE", "journal", fault_endpoints.clear_journal),
    ("GET", "faults", fault_endpoints.show_faults),
    ("PUT", "faults", fault_endpoints.set_faults),
    ("POST", "faults", fault_endpoints.add_faults),
    ("DELETE", "faults", fault_endpoints.drop_faults),
    ("GET", "clock", clock_endpoints.show_clock),
    ("PUT", "clock", clock_endpoints.set_clock),
    ("POST", "clock/advance", clock_endpoints.advance_clock),
    ("GET", "snapshot", snapshot_endpoints.take_snapshot),
    ("PUT", "snapshot", snapshot_endpoints.restore_snapshot),
)
"""Method, path below the room and handler."""

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


_PATHS = RouteTable(ADMIN_ROUTES, below=ROOM)


def find_admin(method: str, path: str) -> Match[AdminHandler] | tuple[str, ...]:
    """The route for the percent-encoded path, or the methods that the path has: none if unknown."""
    return _PATHS.find(method, path)


def page_file(request: Request) -> Response | None:
    """The page, one of its files, or the way to it; None for a path that is not the page's."""
    if request.path in ("/", ROOM.rstrip("/")) and request.method == "GET":
        return Response(302, (("location", ROOM), _PAGE_GUARD), b"")
    if not request.path.startswith(ROOM) or find_admin(request.method, request.path):
        return None
    from ftctl.emulator.web import asset

    file = asset(request.path.removeprefix(ROOM))
    if file is None:
        return None
    if request.method != "GET":
        message = f"{request.method} is not a method of {request.path}; try GET."
        raise ApiError(405, message, code="method_not_allowed", headers=(("allow", "GET"),))
    kind, content = file
    return Response(200, (("content-type", kind), _PAGE_GUARD), content)


def guarded(response: Response) -> Response:
    """The same answer, for a browser to handle with care."""
    return replace(response, headers=(*response.headers, *_GUARDS))
