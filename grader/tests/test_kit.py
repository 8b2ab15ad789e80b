"""What a lab's program does with its command line, and how it shows its reports (sim/kit/kit.c)."""

from __future__ import annotations

import json
import subprocess

import pytest

from looplab.running.build import compiler
from variants import BUILD, ROOT

LAB = "01-sync-vs-async"
WORLDS = f"labs/{LAB}/worlds"


def run(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BUILD / "solutions" / "asan" / LAB / "program", *words], cwd=ROOT, env=env or {}, text=True,
                          capture_output=True, timeout=60)


def assert_refused(words: list[str], *parts: str) -> None:
    """The program ended with 2 after one line on stderr, which holds the parts, and showed nothing."""
    refused = run(*words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert len(refused.stderr.splitlines()) == 1, refused.stderr
    assert refused.stderr.startswith(f"{LAB}: ")
    for part in parts:
        assert part in refused.stderr


def test_help_lists_modes_and_options():
    shown = run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    for word in ["compare", "sync", "async", "--world", "--seed", "--trace", "--tape", "--set NAME=VALUE",
                 "--memory FILE", "--json"]:
        assert word in shown.stdout


def test_an_unknown_mode_lists_the_modes():
    assert_refused(["fast"], "no mode 'fast'", "compare, sync, async")


@pytest.mark.parametrize("seed", ["abc", "", "-1", "1.5", "7x", " 7", "18446744073709551616"])
def test_a_seed_is_a_whole_number(seed):
    assert_refused(["--seed", seed, "sync"], "--seed", f"'{seed}'")


def test_the_largest_seed_is_taken():
    assert run("--seed", "18446744073709551615", "explain").returncode == 0


def test_an_option_that_does_not_exist():
    assert_refused(["--speed", "3"], "--speed")


def test_an_option_without_its_value():
    assert_refused(["sync", "--world"], "--world", "needs a value")


@pytest.mark.parametrize("urls", [[], ["http://a.test/"]])
def test_a_world_that_cannot_be_read(urls):
    assert_refused(["--world", "no/such/world.json", "sync", *urls], "no/such/world.json")


def test_a_tape_that_is_wrong():
    assert_refused(["--tape", "three", "sync"], "three")


def test_a_trace_that_cannot_be_written():
    assert_refused(["--trace", "no/such/folder/trace", "sync"], "no/such/folder/trace")


def test_without_urls_every_url_of_the_world_is_taken():
    shown = run("--world", f"{WORLDS}/three.json", "--json", "async")
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(line["t"], line["name"]) for line in lines] == [(0, "start"), (2_000_000_000, "result")]
    assert [result["length"] for result in lines[1]["value"]["results"]] == [12, 10, 4]


def test_the_world_may_come_from_the_environment():
    shown = run("--json", "async", env={"CO_WORLD": f"{WORLDS}/three.json"})
    assert len(json.loads(shown.stdout.splitlines()[1])["value"]["results"]) == 3


def test_urls_of_the_command_line_come_first():
    shown = run("--world", f"{WORLDS}/three.json", "async", "http://breakfast.test/egg", "http://nobody.test/")
    assert shown.returncode == 0
    table = shown.stdout.splitlines()[-2:]
    assert table[0].split() == ["0", "http://breakfast.test/egg", "-", "200", "4"]
    assert table[1].startswith("     1  http://nobody.test/") and table[1].endswith("  0       0")


def test_the_first_word_may_be_a_url_and_the_mode_is_then_the_first():
    shown = run("--world", f"{WORLDS}/three.json", "http://breakfast.test/egg")
    assert "start: mode compare, n 1" in shown.stdout


def test_times_are_shown_in_milliseconds():
    shown = run("--world", f"{WORLDS}/three.json", "compare")
    assert "[8000 ms] result: rc 0, n 3, sync 6000 ms, async 2000 ms, speedup 3.00, bound io\n" in shown.stdout


def test_a_report_reaches_the_worlds_trace(tmp_path):
    run("--world", f"{WORLDS}/three.json", "--trace", str(tmp_path / "trace"), "async")
    lines = [json.loads(line) for line in (tmp_path / "trace").read_text().splitlines()]
    reports = [line for line in lines if line.get("ev") == "report"]
    assert [(line["t"], line["from"], line["name"]) for line in reports] == \
        [(0, "world", "start"), (2_000_000_000, "world", "result")]
    assert reports[1]["value"]["results"][0] == {"error": 0, "status": 200, "length": 12}


SHAPES = r"""
#include "co.h"
#include "kit.h"

static int fail(void *job)
{
    (void)job;
    return -ETIMEDOUT;
}

static int show(void *job)
{
    (void)job;
    kit_report("text", json_string("hello"));
    kit_report("wait_ns", json_integer(-1500000));
    kit_report("broken", NULL);
    kit_report("mixed", json_pack("{s:b, s:n, s:[i, i], s:i, s:[]}", "yes", 1, "nothing", "list", 1, 2, "rc",
                                  -111, "empty"));
    return 7;
}

static int settings(void *job)
{
    (void)job;
    int64_t workers = kit_setting("workers", 5), limit = kit_setting("limit_2", -1);
    kit_report("settings", json_pack("[I, I]", (json_int_t)workers, (json_int_t)limit));
    return kit_setting("workers", 5) == 13 ? -ETIMEDOUT : 0;
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {{"show", show, "every shape of report"}, {"fail", fail, "fails"},
                                            {"settings", settings, "shows its settings"}, {0}};
    return kit_main(argc, argv, "shapes", modes);
}
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> str:
    """A program of the kit's that is no lab."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "shapes.c").write_text(SHAPES)
    subprocess.run([*compiler(), "-Wall", "-Wextra", "-Werror", "-Isim/include", folder / "shapes.c",
                    "build/kit/libco.a",
                    "@sim/kit/link.flags", "-o", folder / "shapes"], cwd=ROOT, check=True)
    return str(folder / "shapes")


def test_the_peak_of_memory_is_written(shapes, tmp_path):
    subprocess.run([shapes, "--memory", tmp_path / "peak", "show"], capture_output=True, timeout=60, check=True)
    assert 500_000 < int((tmp_path / "peak").read_text()) < 20_000_000
    failed = subprocess.run([shapes, "--memory", tmp_path / "no" / "peak", "--help"], text=True, capture_output=True,
                            timeout=60)
    assert failed.returncode == 2 and failed.stderr == f"shapes: --memory {tmp_path}/no/peak: No such file or " \
        "directory\n"


def test_a_mode_that_fails_says_with_what(shapes):
    failed = subprocess.run([shapes, "fail"], text=True, capture_output=True, timeout=60)
    assert (failed.returncode, failed.stdout) == (1, "")
    assert failed.stderr == "shapes: fail failed: timed out (-110)\n"


def test_every_shape_of_report_is_shown(shapes):
    shown = subprocess.run([shapes], text=True, capture_output=True, timeout=60)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines() == [
        "[0 ms] text: hello",
        "[0 ms] wait_ns: -1.5 ms",
        "[0 ms] broken: none",
        "[0 ms] mixed: yes yes, nothing none, list [1,2], rc connection refused: nobody listens there, empty []",
    ]


def test_every_shape_of_report_is_json(shapes):
    shown = subprocess.run([shapes, "--json"], text=True, capture_output=True, timeout=60)
    values = [json.loads(line)["value"] for line in shown.stdout.splitlines()]
    assert values == ["hello", -1500000, None, {"yes": True, "nothing": None, "list": [1, 2], "rc": -111, "empty": []}]


def settings(shapes: str, *words: str) -> subprocess.CompletedProcess[str]:
    """The mode "settings" with a --set for each word."""
    options = [part for word in words for part in ("--set", word)]
    return subprocess.run([shapes, "--json", *options, "settings"], text=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("words, values", [
    ([], [5, -1]), (["workers=7"], [7, -1]), (["limit_2=2s", "workers=0"], [0, 2_000_000_000]),
    (["workers=1", "workers=2"], [2, -1]),
    (["workers=-3", "limit_2=300ms"], [-3, 300_000_000]), (["workers=15us", "limit_2=7ns"], [15_000, 7]),
    (["workers=9223372036854775807", "limit_2=-9223372036854775808"], [2**63 - 1, -2**63]),
    (["workers=-2s"], [-2_000_000_000, -1])])
def test_a_mode_reads_its_settings(shapes, words, values):
    shown = settings(shapes, *words)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["value"] == values


@pytest.mark.parametrize("word, told", [
    ("workers", "expected NAME=VALUE"), ("=5", "expected NAME=VALUE"), ("Workers=5", "expected NAME=VALUE"),
    ("workers=", "expected NAME=VALUE"),
    ("workers=many", "expected NAME=VALUE"), ("workers=1.5", "expected NAME=VALUE"),
    ("workers=5m", "expected NAME=VALUE"),
    ("workers=-", "expected NAME=VALUE"), ("workers= 5", "expected NAME=VALUE"), ("", "expected NAME=VALUE"),
    ("workers=9223372036854775808", "too large"), ("workers=10000000000s", "too large"),
    ("workers=99999999999999999999", "too large")])
def test_a_setting_that_is_no_number(shapes, word, told):
    refused = settings(shapes, word)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(f"shapes: --set {word}: ") and told in refused.stderr \
        and refused.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["wrkers=5"], ["workers=3", "wrkers=5"], ["limit=3"], ["wrkers=5", "workers=13"]])
def test_a_setting_that_nobody_asks_for(shapes, words):
    unknown = next(word for word in words if not word.startswith("workers")).split("=")[0]
    refused = settings(shapes, *words)
    assert refused.returncode == 2
    assert refused.stderr == f"shapes: settings has no setting '{unknown}'; it has: workers, limit_2\n"


def test_a_mode_without_settings_says_so(shapes):
    refused = subprocess.run([shapes, "--set", "workers=5", "show"], text=True, capture_output=True, timeout=60)
    assert (refused.returncode, refused.stderr) == (2, "shapes: show has no setting 'workers'\n")


def test_there_is_room_for_32_settings(shapes):
    refused = settings(shapes, *[f"a{i}=1" for i in range(33)])
    assert (refused.returncode, refused.stderr) == (2, "shapes: --set a32=1: there is no room for so many settings\n")
