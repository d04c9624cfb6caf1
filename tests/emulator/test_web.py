"""The web page of the embedded API: its files, and itself in a real browser without a window."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from emulator.lab import JOBS, Lab, chats
from ftctl.emulator import Server, serve
from ftctl.emulator.web import asset

FILES = sorted(
    file.name
    for file in (ROOT / "ftctl" / "emulator" / "web").iterdir()
    if file.suffix in (".html", ".css", ".js", ".svg")
)
HOSTILE = "<img src=x onerror=alert(1)>"
MOST_BYTES = 42_000
DRAWN = "return document.querySelector('figure path.s0')?.getAttribute('d').length ?? 0"

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
# Without them Chromium asks its maker's hosts for news, which tests must not.
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,900",
)  # fmt: skip


def text_of(name: str) -> str:
    found = asset(name)
    assert found is not None, name
    return found[1].decode()


def test_the_page_is_small() -> None:
    sizes = {name: len(text_of(name).encode()) for name in FILES}

    assert sum(sizes.values()) < MOST_BYTES, sizes


def test_each_file_has_its_type_and_the_page_itself_no_name() -> None:
    types = {name: found[0] for name in FILES if (found := asset(name)) is not None}

    assert types == {
        name: {
            "html": "text/html; charset=utf-8",
            "css": "text/css; charset=utf-8",
            "js": "text/javascript; charset=utf-8",
            "svg": "image/svg+xml",
        }[name.rpartition(".")[2]]
        for name in FILES
    }
    assert asset("") == asset("index.html")


@pytest.mark.parametrize(
    "path", ["__init__.py", "../app.py", "..%2fapp.py", "/etc/passwd", "x", "main.js/", "\0"]
)
def test_nothing_else_is_served(path: str) -> None:
    assert asset(path) is None


def test_nothing_comes_from_elsewhere_and_nothing_is_read_as_html() -> None:
    page = text_of("index.html")
    scripts = "".join(text_of(name) for name in FILES if name.endswith(".js"))

    assert not re.search(r"<style|\bstyle=|\bon\w+=|<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert re.findall(r"https?://[^\"'`\s]*", scripts) == ["http://www.w3.org/2000/svg"]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", scripts
    )


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    """4.5 to 1 for text, as the guidelines for accessible content (WCAG 2.2, 1.4.3) want."""
    blocks = re.findall(r":root \{([^}]*)\}", text_of("style.css"))
    colours = dict(re.findall(r"--(\w+): (#\w+);", blocks[scheme]))

    faint = {
        (text, ground): round(_contrast(colours[text], colours[ground]), 2)
        for text in ("text", "quiet", "accent", "good", "bad", "wait", "s0", "s1", "s2")
        for ground in ("panel", "back", "chosen")
        if _contrast(colours[text], colours[ground]) < 4.5
        and not (text.startswith("s") and ground != "panel")  # charts stand on panels only
    }

    assert len(blocks) == 2
    assert faint == {}


class Window:
    """A browser's window, and the few things that a test does with it."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.get("about:blank")  # else only the fragment changes, and nothing is loaded
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """What can be read there; nothing of what is hidden."""
        return next(iter(self.texts(selector)), "")

    def texts(self, selector: str) -> list[str]:
        found: list[str] = self.run(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((one) => one.checkVisibility()).map((one) => one.innerText.trim())",
            selector,
        )
        return found

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()

    def until(self, look: Callable[[], Any], wanted: Any = True, seconds: float = 20) -> None:
        """Look again until it is so; fails with what it is instead."""
        deadline = time.monotonic() + seconds
        while (seen := look()) != wanted:
            assert time.monotonic() < deadline, f"{seen!r} is not {wanted!r}"
            time.sleep(0.05)

    def complaints(self) -> list[str]:
        """What the browser's console has to say, breaches of the page's policy included."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One browser for all tests: it takes a second to start."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=DRIVER)
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_script_timeout(20)
    yield Window(driver)
    driver.quit()


@pytest.fixture
def window(chromium: Window) -> Iterator[Window]:
    """The browser; the test fails if the page made it complain."""
    chromium.complaints()
    yield chromium
    complaints = chromium.complaints()
    chromium.open("about:blank")
    assert complaints == []


@pytest.fixture
def lab(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    lab = Lab(tmp_path, **getattr(request, "param", {}))
    with lab.emulator:
        yield lab


LEARNING = pytest.mark.parametrize("lab", [{"training": True}], indirect=True, ids=["learning"])


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    with serve(lab.emulator).start() as server:
        yield server


def page(server: Server, fragment: str = "") -> str:
    return f"{server.url.removesuffix('/v1')}/_ftctl/#{fragment}"


def trainable(lab: Lab, count: int = 12, **fields: Any) -> str:
    """A job with a validation file and two epochs: its id."""
    method = {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}
    training, validation = lab.upload(chats(count)), lab.upload(chats(3))
    fields = {"training_file": training, "validation_file": validation, "method": method, **fields}
    job_id: str = lab.create(**fields)["id"]
    return job_id


def test_a_job_appears_and_is_followed_to_its_end(lab: Lab, server: Server, window: Window) -> None:
    window.open(page(server))
    window.until(lambda: "No jobs yet" in window.text("#job"))

    job_id = trainable(lab, suffix="tone")
    window.until(lambda: window.texts("#jobs strong"), ["tone"])
    states = [window.text("#jobs .badge")]
    for moment in (1.5, 7.0, 20.0):
        lab.now = 1_800_000_000.25 + moment
        window.until(lambda: window.text("#jobs .badge") != states[-1])
        states.append(window.text("#jobs .badge"))

    assert states == ["validating files", "queued", "running", "succeeded"]
    result = lab.job(job_id)["fine_tuned_model"]
    window.until(lambda: window.text("#jobs .result"), result)
    files, models = len(lab.get("/v1/files")["data"]), lab.get("/_ftctl/state")["counts"]["models"]
    assert window.text("#counts") == f"1 job · {files} files · {models} models"


@LEARNING
def test_the_curves_grow_with_the_training(lab: Lab, server: Server, window: Window) -> None:
    job_id = trainable(lab)
    window.open(page(server, f"job={job_id}"))
    window.until(lambda: window.text("#job .badge"), "validating files")

    lengths = []
    for moment in (6.0, 9.0, 20.0):
        lab.now = 1_800_000_000.25 + moment
        step = max(int((moment - 2) * 2.4), 0) if moment < 12 else 24
        window.until(lambda: window.text(".bar .quiet"), f"step {step} of 24")
        window.until(lambda: window.run(DRAWN) > (lengths[-1] if lengths else 0))
        lengths.append(window.run(DRAWN))

    window.run("document.querySelector('#job details').open = true")
    window.until(lambda: len(window.texts("#job tbody tr")), 24)
    losses = [float(row.split("\t")[1]) for row in window.texts("#job tbody tr")]
    assert lengths == sorted(set(lengths))
    assert losses[-1] < losses[0]
    assert window.texts("figure:not([hidden]) h3") == ["Loss", "Accuracy"]
    assert window.texts("figure:first-child .legend:not([hidden])") == [
        "train", "validation", "full validation",
    ]  # fmt: skip
    window.until(lambda: window.texts(".events span")[-1:], lab.messages(job_id)[-1:])


@LEARNING
def test_a_figure_can_be_read_by_keys_alone(lab: Lab, server: Server, window: Window) -> None:
    job_id = trainable(lab)
    lab.now += 20
    window.open(page(server, f"job={job_id}"))
    window.until(lambda: window.text("output").startswith("Step 24: train "))

    window.run("document.querySelector('.pick').focus()")
    pick = window.driver.switch_to.active_element
    pick.send_keys("\ue012" * 3)  # the left arrow

    read_out = window.text("output")
    assert re.fullmatch(
        r"Step 21: train [\d.]+, validation [\d.]+( \(step \d+\))?,"
        r" full validation [\d.]+ \(step 12\)",
        read_out,
    )
    assert pick.get_attribute("aria-valuetext") == read_out
    drawn = window.run("return document.querySelector('svg').getAttribute('aria-label')")
    assert re.match(r"Loss: train from [\d.]+ at step 1 to [\d.]+ at step 24; validation ", drawn)


def test_what_clients_send_is_shown_as_text(lab: Lab, server: Server, window: Window) -> None:
    job_id = trainable(lab, suffix=HOSTILE, metadata={HOSTILE: HOSTILE})
    lab.call("POST", JOBS, {"model": HOSTILE, "training_file": "x"})
    lab.call("GET", "/v1/files/%3Cimg%20src=x%20onerror=alert(1)%3E?x=<img>")
    window.open(page(server, f"job={job_id}"))
    window.until(lambda: f"{HOSTILE} = {HOSTILE}" in window.texts("dd"))

    assert window.texts("#jobs strong") == [HOSTILE]
    assert window.text("#job h2") == HOSTILE
    window.open(page(server, "view=requests"))
    window.until(lambda: any("onerror" in path for path in window.texts("#requests .path")))
    assert window.run("return document.querySelectorAll('img').length") == 0


def test_a_failed_job_says_why(lab: Lab, server: Server, window: Window) -> None:
    job_id = lab.create(training_file=lab.upload(b'{"messages": []}\n' * 12))["id"]
    lab.now += 2
    error = lab.job(job_id)["error"]
    window.open(page(server, f"job={job_id}"))

    told = f"{error['code']} ({error['param']}): {error['message']}"
    window.until(lambda: window.text("#job .error"), told)
    assert window.text("#jobs .result") == error["message"]


def test_following_keeps_focus_scroll_and_selection(
    lab: Lab, server: Server, window: Window
) -> None:
    jobs = [lab.create(suffix=f"job-{number}")["id"] for number in range(50)]
    window.open(page(server, f"job={jobs[25]}"))
    window.until(lambda: len(window.texts("#jobs li")), 50)
    window.run(
        "document.querySelector('#jobs').scrollTop = 500;"
        "const link = document.querySelectorAll('#jobs a')[20];"
        "link.focus({ preventScroll: true });"
        "getSelection().selectAllChildren(link.querySelector('strong'));"
        "window.kept = link"
    )

    lab.create(suffix="newest")
    window.until(lambda: window.texts("#jobs strong")[0], "newest")

    assert window.run("return document.activeElement === window.kept")
    assert window.run("return String(getSelection())") == window.run(
        "return window.kept.querySelector('strong').textContent"
    )
    assert window.run("return document.querySelector('#jobs').scrollTop") >= 500
    assert window.text("#jobs [aria-current] strong") == "job-25"
    assert window.text("#link") == "Live"


def test_reset_asks_first_and_then_deletes_everything(
    lab: Lab, server: Server, window: Window
) -> None:
    trainable(lab)
    window.open(page(server))
    window.until(lambda: len(window.texts("#jobs li")), 1)

    window.click("#reset")
    assert window.text("#confirm-text").startswith("This deletes 1 job, 2 files and ")
    window.click("#confirm button[value=no]")
    time.sleep(0.3)
    kept = len(lab.get(JOBS)["data"])
    window.click("#reset")
    window.click("#confirm button[value=yes]")
    window.until(lambda: window.texts("#jobs li"), [])

    assert kept == 1
    assert lab.get(JOBS)["data"] == []
    assert lab.get("/v1/files")["data"] == []


def test_a_clock_by_hand_is_moved_by_buttons(lab: Lab, server: Server, window: Window) -> None:
    job_id = trainable(lab)
    window.open(page(server))
    window.until(lambda: window.run("return document.querySelector('#pace').value"), "real")
    assert window.text("#advance") == ""

    window.run(
        "const pace = document.querySelector('#pace'); pace.value = 'hand';"
        "pace.dispatchEvent(new Event('change'))"
    )
    window.until(lambda: window.text("#advance") != "")
    window.click("#advance button[value='1']")
    window.until(lambda: window.text("#jobs .badge"), "queued")
    window.click("#advance button[value='60']")
    window.until(lambda: window.text("#jobs .badge"), "succeeded")

    assert lab.job(job_id)["finished_at"] == 1_800_000_012


def test_looking_does_not_move_a_job_that_goes_on_by_reads(
    lab: Lab, server: Server, window: Window
) -> None:
    assert lab.call("PUT", "/_ftctl/clock", {"kind": "reads"})[0] == 200
    job_id = trainable(lab)
    window.open(page(server, f"job={job_id}"))
    window.until(lambda: window.text("#job .badge"), "validating files")
    time.sleep(2.5)

    assert window.text("#job .badge") == "validating files"


def test_requests_are_listed_and_the_page_is_not_among_them(
    lab: Lab, server: Server, window: Window
) -> None:
    job_id = trainable(lab)
    window.open(page(server, f"job={job_id}"))
    window.until(lambda: len(window.texts(".events li")) >= 2)
    window.open(page(server, "view=requests"))

    window.until(lambda: len(window.texts("#requests tr")), 3)

    asked = [window.texts(f"#requests td:nth-child({column})") for column in (2, 3, 4)]
    assert asked == [["POST"] * 3, [JOBS, "/v1/files", "/v1/files"], ["200"] * 3]
    window.click("#requests details summary")
    assert '"training_file"' in window.text("#requests details pre")
    window.click("#clear")
    window.until(lambda: window.text("#no-requests"), "No requests yet.")


def test_faults_are_listed_with_what_they_met(lab: Lab, server: Server, window: Window) -> None:
    rule = {"request": {"path": "/v1/models"}, "answer": {"status": 503}}
    assert lab.call("PUT", "/_ftctl/faults", {"faults": [rule]})[0] == 200
    assert lab.call("GET", "/v1/models")[0] == 503
    window.open(page(server, "view=faults"))

    window.until(lambda: window.texts("#faults p"), ["met 1 time"])
    assert json.loads(window.text("#faults pre")) == rule
    assert window.text("#faults-count") == "1"


def test_a_key_is_asked_for_or_taken_from_the_address(tmp_path: Path, window: Window) -> None:
    lab = Lab(tmp_path, api_key="sesame")
    with lab.emulator, serve(lab.emulator).start() as server:
        window.open(page(server))
        window.until(lambda: window.text("#ask h2"), "This API wants its key")
        window.driver.find_element("css selector", "#key").send_keys("sesame\n")
        window.until(lambda: window.text("#link"), "Live")

        window.run("sessionStorage.clear()")
        window.open(page(server, "key=sesame&view=faults"))
        window.until(lambda: window.text("#link"), "Live")

        assert window.run("return location.hash") == "#view=faults"
        assert window.text("#ask") == ""
        window.run("sessionStorage.clear()")
        refused = [text for text in window.complaints() if "401 (Unauthorized)" not in text]
        assert refused == []


def test_a_server_that_has_gone_is_told_and_found_again(
    lab: Lab, server: Server, window: Window
) -> None:
    window.open(page(server))
    window.until(lambda: window.text("#link"), "Live")
    port = int(server.url.split(":")[2].removesuffix("/v1"))

    server.close()
    window.until(lambda: window.text("#link"), "Not answering")
    assert window.text("#trouble").startswith("The embedded API does not answer.")
    with serve(lab.emulator, port=port).start():
        window.until(lambda: window.text("#link"), "Live")
        assert window.text("#trouble") == ""
        window.open("about:blank")
    lost = [text for text in window.complaints() if "net::ERR_" not in text]
    assert lost == []


@LEARNING
@pytest.mark.parametrize("width", [340, 820, 1280])
def test_nothing_is_wider_than_the_window(
    lab: Lab, server: Server, window: Window, width: int
) -> None:
    job_id = trainable(lab, suffix="a-suffix-without-any-place-to-break-" + "x" * 24)
    lab.now += 20
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    window.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    try:
        for fragment in (f"job={job_id}", "view=jobs", "view=requests", "view=faults"):
            window.open(page(server, fragment))
            window.until(lambda: window.text("#link"), "Live")
            assert (fragment, window.run(wide)) == (fragment, 0)
    finally:
        window.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@LEARNING
def test_every_control_has_a_name(lab: Lab, server: Server, window: Window) -> None:
    job_id = trainable(lab)
    lab.now += 20
    window.open(page(server, f"job={job_id}"))
    window.until(lambda: window.text("output") != "")

    nodes = window.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {"button", "link", "slider", "combobox", "image", "progressbar", "region", "list"}
    shown = [node for node in nodes if not node["ignored"]]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in shown
        if node["role"]["value"] in roles - {"list"}
    ]

    assert {role for role, _ in named} >= {"button", "link", "slider", "combobox", "image"}
    assert [role for role, name in named if not name.strip()] == []


def test_many_steps_are_drawn_with_few_points_that_keep_the_extremes(
    server: Server, window: Window
) -> None:
    window.open(page(server))

    least, most, count, ends = window.driver.execute_async_script(
        """
        const done = arguments[0];
        import("/_ftctl/chart.js").then(({ thinned }) => {
          const rows = Array.from({ length: 50000 }, (_, place) => ({ step: place + 1,
            loss: place === 31234 ? 99 : place === 777 ? -99 : Math.sin(place) }));
          const few = thinned(rows, "loss", 500);
          const values = few.map((row) => row.loss);
          done([Math.min(...values), Math.max(...values), few.length,
            [few[0].step, few.at(-1).step]]);
        });
        """
    )

    assert (least, most, ends) == (-99, 99, [1, 50_000])
    assert count <= 502


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 2.4, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-0.3, 0.4, [-0.4, -0.2, 0, 0.2, 0.4]),
        (0, 0.00012, [0, 0.00005, 0.0001, 0.00015]),
        (0, 48000, [0, 10000, 20000, 30000, 40000, 50000]),
    ],
)
def test_axes_have_round_numbers(
    server: Server, window: Window, low: float, high: float, wanted: list[float]
) -> None:
    window.open(page(server))

    ticks = window.driver.execute_async_script(
        "const [low, high, done] = arguments;"
        'import("/_ftctl/chart.js").then(({ ticks }) => done(ticks(low, high)))',
        low,
        high,
    )

    assert ticks == pytest.approx(wanted)
