"""What lab 06 alone promises: correct scrapers pass, each fault is exposed, and a suite cannot earn its points in
another way."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grading import ROOT, Graded, grade
from looplab.course import lab as labs
from looplab.grading import scrapers
from looplab.grading.linking import link
from looplab.grading.suite_run import SuiteRunner
from looplab.running import process
from searched import session
from variants import some

LAB = labs.load("06-testing")
SOLUTION = (LAB.solution / LAB.source).read_text()
ALL = scrapers.scrapers(LAB)
HANDOUT = (LAB.folder / "README.md").read_text()
KIT = [str(LAB.main_object()), "-Wl,--whole-archive", str(LAB.library()), "-Wl,--no-whole-archive",
       f"@{ROOT / 'sim/kit/link.flags'}", "-lcmocka"]
ABOUT = '#include "co_test.h"\n#include "scraper.h"\n#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n'


POINTER = "\nint (*asked)(const char *, int64_t, struct page *) = scrape_page;\n"


def grade_text(text: str, folder: Path, seed: int = 7) -> Graded:
    mine = folder / "mine"
    mine.mkdir()
    (mine / LAB.source).write_text(text)
    return grade(LAB, mine, folder / "out", seed)


def check(graded: Graded, name: str) -> dict:
    return next(check for check in graded.result["checks"] if check["id"] == name)


# ---- The scrapers -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory) -> dict[str, dict[str, str]]:
    """What each test of the reference suite says of each scraper: by make's own way, not the grader's."""
    work = tmp_path_factory.mktemp("scrapers")
    flags = ["gcc", f"@{ROOT / 'sim/kit/student.flags'}", "-O1", f"-I{ROOT / 'sim/include'}", f"-I{LAB.folder}"]
    subprocess.run([*flags, "-rdynamic", "-Wl,--unresolved-symbols=ignore-all,-z,lazy", LAB.solution / LAB.source,
                    *KIT, "-o", work / "suite"], check=True)
    subprocess.run([*flags, "-fPIC", "-shared", LAB.folder / "scraper.c", "-o", work / "visible.so"], check=True)
    made = {"visible-O1": work / "visible.so", **scrapers.objects(LAB, work)}

    def run(scraper: scrapers.Scraper) -> dict[str, str]:
        done = subprocess.run([work / "suite", "--scraper", made[f"{scraper.name}-O1"]], capture_output=True, text=True,
                              timeout=60)
        assert done.returncode in (0, 1), done.stderr
        return {name: "passed" if mark == "      OK" else "failed"
                for mark, name in re.findall(r"^\[ ?(      OK| FAILED ) \] (\w+)$",
                                             done.stdout.split("test(s) run")[0], re.M)}

    with ThreadPoolExecutor(2) as pool:
        return dict(zip((scraper.name for scraper in ALL), pool.map(run, ALL)))


def test_the_reference_suite_passes_every_correct_scraper(verdicts):
    right = [scraper.name for scraper in ALL if not scraper.fault and not scraper.hollow]
    assert len(right) >= 5
    tests = set(re.findall(r"CO_TEST\((\w+)\)", SOLUTION))
    for name in right:
        assert verdicts[name] == {test: "passed" for test in tests}, name


def test_the_reference_suite_exposes_every_fault(verdicts):
    faulty = [scraper for scraper in ALL if scraper.fault]
    assert len([scraper for scraper in faulty if not scraper.practice]) == 27
    for scraper in faulty:
        assert "failed" in verdicts[scraper.name].values(), scraper.name


def test_each_fault_is_one_of_a_kind(verdicts):
    """Faults that no test can tell apart would be one fault that counts twice: some test of ours sees the
    difference."""
    seen: dict[tuple, str] = {}
    alike = []
    for scraper in ALL:
        if scraper.fault and not scraper.practice:
            key = tuple(sorted(name for name, verdict in verdicts[scraper.name].items() if verdict == "failed"))
            if len(key) > 1 and key in seen:
                alike.append((seen[key], scraper.name))
            seen[key] = scraper.name
    assert len(alike) <= 3, alike


def test_the_table_of_faults(verdicts):
    faults = [scraper.fault for scraper in ALL if scraper.fault and not scraper.practice]
    assert len({fault.name for fault in faults}) == len(faults) >= 16
    text = (LAB.hidden / "scrapers/faults.h").read_text()
    timing = text.split("#define FAULTS(F)")[1].split("    \\\n")[0]
    assert len(re.findall(r"F\(\w+,", timing)) >= 6, "faults of time or order only"
    for scraper in ALL:
        if scraper.fault:
            both = scraper.source.read_text() + (LAB.hidden / "scrapers/common.h").read_text()
            assert re.search(rf"\b{scraper.fault.name}\b", both), f"{scraper.fault.name} is built in nowhere"


def test_practice_faults_stand_in_the_handout():
    for scraper in ALL:
        if scraper.practice:
            assert f"| `{scraper.fault.name}` |" in HANDOUT


def test_contract_is_the_one_of_lab_03_with_a_limit():
    """Whoever has done lab 03 finds the same structs here."""
    old, new = ((ROOT / "labs" / lab / "scraper.h").read_text() for lab in ("03-scraper", "06-testing"))

    def bare(text: str) -> str:
        return " ".join(re.sub(r"/\*.*?\*/", "", text, flags=re.S).split())

    assert bare(new).replace("size_t n, size_t limit, int64_t timeout", "size_t n, int64_t timeout") == bare(old)


# ---- Suites that are none ---------------------------------------------------------------------

SILENT = SOLUTION.replace("#include <stdio.h>", """#include <stdio.h>
#undef assert_int_equal
#undef assert_string_equal
#undef assert_ptr_equal
#undef assert_true
#undef assert_in_range
#define assert_int_equal(a, b) ((void)(a), (void)(b))
#define assert_string_equal(a, b) ((void)(a), (void)(b))
#define assert_ptr_equal(a, b) ((void)(a), (void)(b))
#define assert_true(a) ((void)(a))
#define assert_in_range(a, b, c) do { if ((a) > (c)) return; } while (0)
""")
SIX = "".join(f"T({name})\n" for name in "abcdef")


def test_a_program_that_is_started_once_says_the_same(tmp_path):
    """Copies of one process that each load a scraper, and a process for each scraper: the same verdicts. A suite that
    has a function of the scraper's before there is one is started anew each time."""
    for name, text, served in (("usual", SOLUTION, True), ("pointer", SOLUTION + POINTER, False)):
        (tmp_path / name).mkdir()
        (tmp_path / name / LAB.source).write_text(text)
        with session(LAB, tmp_path / name / LAB.source, 7) as one:
            program = one.ready()
            folders = link(LAB, program.work, scrapers.objects(LAB, program.work))
            copied = SuiteRunner(LAB, program.work, one.desks, one.copies)
            anew = SuiteRunner(LAB, program.work, one.desks)
            names = [test.name for test in copied.list_tests(program.cover)]
            anew.tests = copied.tests
            for scraper in ("workers-O2", "visible-one_by_one-O1", "hollow_nothing-O1"):
                assert copied.run(folders[scraper], names) == anew.run(folders[scraper], names) != {}
            assert (one.copies(program.work / "open", process.COVER)._first is not None) == served


@pytest.mark.parametrize("said, names", [
    ([{"name": "one"}, {}, {"name": 5}, {"name": None}, {"name": True}, {"name": ["two"]}, {"name": "a b"}, 7],
     ["one"]),
    (None, []), ({"name": "one"}, [])])
def test_a_list_of_tests_may_hold_anything(said, names):
    """The suite itself may have written it."""
    runner = SuiteRunner(LAB, Path(), None)
    runner._process = lambda *asked: ([{"tests": said}], None)
    assert [test.name for test in runner.list_tests(Path())] == names


def test_coverage_without_assertions(tmp_path):
    graded = grade_text(SILENT, tmp_path)
    assert graded.score <= 30
    told = check(graded, "test_every_test_asserts")
    assert told["status"] == "failed" and "without an assertion that can fail" in told["message"]
    assert check(graded, "test_coverage")["status"] == "skipped"
    assert check(graded, "test_exposes_faulty_scrapers")["score"] == 0
    assert check(graded, "test_passes_on_other_scrapers")["status"] == "passed"


def test_assertions_that_cannot_fail(tmp_path):
    """They are counted by what they do, not by their number."""
    graded = grade_text(re.sub(r"(CO_TEST\(\w+\)\n\{\n)", r"\1    assert_int_not_equal(1, 2);\n", SILENT), tmp_path)
    assert graded.score <= 30 and check(graded, "test_every_test_asserts")["status"] == "failed"


def test_five_tests_are_graded_all_the_same(tmp_path):
    graded = grade_text(ABOUT + "#define T(name) CO_TEST(name) { struct page page; "
                        "assert_int_equal(scrape_page(\"http://a.test/\", CO_SEC(1), &page), 0); "
                        "assert_int_equal(page.error, -CO_ENOHOST); }\n" + SIX.replace("T(f)\n", ""), tmp_path)
    told = check(graded, "test_number_of_tests")
    assert told["status"] == "failed" and "happened: 5" in told["message"]
    assert check(graded, "test_passes_on_scraper_c")["status"] \
        == check(graded, "test_passes_on_other_scrapers")["status"] == "passed"
    assert check(graded, "test_exposes_faulty_scrapers")["score"] > 0


def test_assertions_that_nobody_comes_to(tmp_path):
    """They stand in a callback, and a scraper that calls nobody passes: the report says so."""
    graded = grade_text(ABOUT + """
static void told(void *arg, const struct page *page, size_t done, size_t total)
{
    assert_int_equal(page->error, -CO_ENOHOST);
    assert_int_equal(done, 1);
}
#define T(name) CO_TEST(name) { struct page out[1]; struct summary summary; const char *urls[] = {"http://a.test/"}; \\
    (void)!scrape_all(urls, 1, 1, CO_SEC(1), &(struct listener){.progress = told}, out, &summary); }
""" + SIX, tmp_path)
    assert check(graded, "test_every_test_asserts")["status"] == "passed"
    for name in ("test_practice_faults", "test_exposes_faulty_scrapers"):
        assert "a and 5 more tests pass on a scraper that does nothing at all" in check(graded, name)["message"]


@pytest.mark.parametrize("name, body", some({
    "exit": "exit(0);", "_exit": "_exit(0);",
    "pretends to pass": 'puts("{\\"test\\":\\"a\\",\\"verdict\\":\\"passed\\"}\\n[  PASSED  ] 6 test(s)."); exit(0);',
    "pretends to fail":
    'fprintf(stderr, "0x1 != 0x2\\n[   LINE   ] --- x.c:1: error: Failure!\\n"); exit(1);'}.items()),
                         ids=lambda value: value[:16])
def test_leaving_is_no_verdict(tmp_path, name, body):
    graded = grade_text(ABOUT + f"#define T(name) CO_TEST(name) {{ {body} }}\n" + SIX, tmp_path)
    assert graded.code == 1 and graded.score <= 15, graded.lost()
    assert check(graded, "test_passes_on_scraper_c")["status"] == "failed"
    assert check(graded, "test_exposes_faulty_scrapers")["score"] == 0


def test_leaving_before_main(tmp_path):
    graded = grade_text(ABOUT + "__attribute__((constructor)) static void leave(void) { _exit(0); "
                                "}\n#define T(name) CO_TEST(name) {}\n" + SIX, tmp_path)
    assert (graded.code, graded.score) == (1, 0)


@pytest.mark.parametrize("name, body, words", some([
    ("computes", "for (volatile int i = 0;; i++) ;", "computes without end"),
    ("floods", 'for (;;) puts("a line that is printed for ever and ever, in the hope that somebody keeps it all");',
     "prints without end"),
    ("forks", "for (;;) (void)!fork();", "computes without end"),
    ("eats", "for (;;) memset(malloc(1 << 20), 1, 1 << 20);", None),
    ("closes", "for (int fd = 0; fd < 256; fd++) close(fd); abort();", None),
    ("kills", "kill(-1, 9); kill(0, 9); raise(9);", None)], 3), ids=lambda value: value if value and value.isalpha()
                         else "")
def test_no_end(tmp_path, name, body, words):
    """A suite that behaves like this ends soon, with a verdict, and takes nobody with it."""
    graded = grade_text(ABOUT + "#include <signal.h>\n" + f"#define T(name) CO_TEST(name) {{ {body} }}\n" + SIX,
                        tmp_path)
    assert graded.code == 1 and graded.score <= 15, graded.lost()
    told = check(graded, "test_tests_run")["message"] + check(graded, "test_passes_on_scraper_c")["message"]
    assert not words or words in told, told


def test_the_code_of_a_scraper_is_no_ground(tmp_path):
    """A test that looks at the machine code of what it tests fails on a correct one."""
    text = ABOUT + """
static int sum(void)
{
    int sum = 0;
    for (int i = 0; i < 64; i++)
        sum = (sum * 31 + ((const unsigned char *)scrape_all)[i]) % 1009;
    return sum;
}
static int known = -1;
""" + "#define T(name) CO_TEST(name) { known = known < 0 ? sum() : known; assert_int_equal(sum() % 7, known % 7); " \
        "assert_int_equal(sum() % 2, 0); }\n" + SIX
    graded = grade_text(text, tmp_path)
    assert graded.score <= 30 and check(graded, "test_exposes_faulty_scrapers")["score"] == 0


def test_looking_into_the_scraper(tmp_path):
    graded = grade_text(SOLUTION.replace('#include "scraper.h"', '#include "scraper.c"'), tmp_path)
    assert graded.code == 2 and "scraper.c, which is no part of the lab" in graded.result["message"]


def test_replacing_the_scraper(tmp_path):
    own = ("int scrape_page(const char *url, int64_t timeout, struct page *out) { (void)url, "
           "(void)timeout, (void)out; return 0; }\n")
    graded = grade_text(SOLUTION + own, tmp_path)
    assert graded.code == 2 and "scrape_page exists already" in graded.result["message"]


def test_tests_that_depend_on_each_other(tmp_path):
    """The second test only passes when the first has run; the third only when nobody has."""
    text = SOLUTION + """
static int state;
static void scrape(void)
{
    mock_get("http://a.test/");
    struct page page;
    assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), &page), 0);
}
CO_TEST(sets) { scrape(); state++; }
CO_TEST(uses) { scrape(); assert_int_equal(state, 1); }
"""
    graded = grade_text(text, tmp_path)
    told = check(graded, "test_independent")
    assert told["status"] == "failed" and "uses fails on its own, but passes behind the others" in told["message"]
    assert graded.score == 80


def one_more(delays: str, timeout: str, asserted: str) -> tuple[str, str]:
    """What is replaced, and by what: a test of three good pages, all at once."""
    return "CO_TEST(", f"""static const struct page *kept;
static void keep(void *arg, const struct page *page, size_t done, size_t total)
{{
    on_progress(arg, page, done, total);
    kept = page;
}}
CO_TEST(one_more)
{{
    static const char *const urls[] = {{"http://a.test/0", "http://b.test/1", "http://c.test/2"}};
    static const int delays[] = {delays};
    for (int i = 0; i < 3; i++)
        mock_get(urls[i], .delay = CO_MS(delays[i]));
    struct notes notes = {{0}};
    struct page out[3];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 3, 3, {timeout}, &(struct listener){{keep, NULL, &notes}}, out, &summary), 0);
    {asserted}
}}

CO_TEST("""


OPEN = [
    ("wording", "assert_true(notes.log[i].has_cause);", "", None),
    ("log", "notes->log[notes->log_n].has_cause = cause && *cause;",
     'notes->log[notes->log_n].has_cause = true; if (strstr(url, "404")) assert_string_equal(cause, "HTTP 404");',
     '"HTTP 404"'),
    ("instant", 'CO_MS(990));\n    mock_get("http://a.test/late"', 'CO_MS(990));\n    mock_get("http://b.test/late"',
     None),
    ("tail", "assert_string_equal(out[3].title, \"behind a zero\");",
     "assert_memory_equal(out[3].title, \"behind a zero\\0\\0\", 15);", "assert_memory_equal"),
    ("progress first", "notes->log[notes->log_n].url = url;",
     "notes->log[notes->log_n].url = url; assert_int_equal(notes->progress_n > 0 && notes->progress[notes->progress_n "
     "- 1].url == url, 0);", "fails"),
    ("order", *one_more('{150, 150, 150}', "CO_SEC(1)", "for (int i = 0; i < 3; i++) "
                                                        "assert_ptr_equal(notes.progress[i].url, urls[i]);"), "fails"),
    ("border", *one_more('{100, 200, 1000}', "CO_SEC(1)", "assert_int_equal(out[2].error, 0);"), "-ETIMEDOUT is not 0"),
    ("kept", *one_more('{100, 200, 300}', "CO_SEC(1)", "assert_int_equal(kept->status, 200);"), "0 is not 200")]
"""What a suite pins that no sentence of the contract says."""


@pytest.mark.parametrize("name, old, new, words", some(OPEN[1:] + OPEN[:1], 4),
                         ids=lambda value: value[:16] if value else "-")
def test_what_the_contract_leaves_open(tmp_path, name, old, new, words):
    """words None: a change that pins nothing is no fault of a suite's."""
    text = SOLUTION.replace(old, new, 1)
    if name == "instant":
        text = text.replace('scrape_page("http://a.test/late"', 'scrape_page("http://b.test/late"')
    assert text != SOLUTION
    graded = grade_text(text, tmp_path)
    told = check(graded, "test_passes_on_other_scrapers")
    if words is None:
        assert graded.score == 100, graded.lost()
    else:
        assert told["status"] == "failed" and words in told["message"] \
            and "which sentence of scraper.h says so?" in told["message"]
        assert check(graded, "test_passes_on_scraper_c")["status"] == "passed"
        assert graded.score <= 80


def test_untidy_tests(tmp_path):
    one = ('mock_get("http://a.test/"); struct page page; assert_int_equal(scrape_page("http://a.test/", CO_SEC(1), '
           '&page), 0); assert_int_equal(page.status, 200);')
    text = ABOUT + "".join(f"CO_TEST({name}) {{ {one} {more} }}\n" for name, more in (
        ("a", ""), ("b", "sleep(1);"), ("c", ""), ("d", "char *volatile p = malloc(10); p = NULL;"),
        ("e", "CO_RESPONSE(r); (void)!http_get_blocking(\"http://a.test/\", &r);"),
        ("f", "co_cpu(1);"), ("g", "(void)co_to_thread(busy, NULL);"), ("h", "")))
    graded = grade_text(text.replace("CO_TEST(a)", "static int busy(void *job) { co_cpu(CO_SEC(1)); "
                                                   "return 0; }\nCO_TEST(a)"), tmp_path)
    assert "b, e, f did" in check(graded, "test_no_files_no_blocking")["message"]
    told = check(graded, "test_clean_under_sanitizers")
    assert told["status"] == "failed" and "leak" in told["message"]


# ---- Feedback ---------------------------------------------------------------------------------


SET = """
import dataclasses, sys
from looplab.course import lab as labs
load, level = labs.load, sys.argv.pop(1)
labs.load = lambda *a, **k: dataclasses.replace(load(*a, **k), settings={**load(*a, **k).settings, "feedback": level})
from looplab.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("level, told", some([("number", "25 of 27 are exposed"), ("none", "not all are exposed"),
                                              ("names", "does not follow redirects")], 3))
def test_levels_of_feedback(tmp_path, level, told):
    """What is told of the faults that are not exposed is a setting of the lab; they cost what they are worth."""
    text, without = SOLUTION, ("redirects_are_followed", "titles", "a_page_that_drips")
    for name in without[:2] if level == "number" else without:
        text = text.replace(f"CO_TEST({name})", f"__attribute__((unused)) static void {name}(void)")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / LAB.source).write_text(text)
    done = subprocess.run([sys.executable, "-c", SET, level, "grade", "--lab", "06", "--from", tmp_path / "mine",
                           "--out", tmp_path / "out"], cwd=ROOT,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "grader")}, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 1, done.stdout + done.stderr
    result = json.loads((tmp_path / "out" / LAB.slug / "results.json").read_text())
    graded = Graded(done.returncode, result, done.stdout)
    entry = check(graded, "test_exposes_faulty_scrapers")
    assert entry["score"] == (50 if level == "number" else 48) and told in entry["message"], entry["message"]
    assert result["score"] > 80
    assert ("25 of 27" in json.dumps(entry)) == ("What is left gets a page" in entry["message"]) == (level == "number")
    assert any(scraper.fault and not scraper.practice and scraper.fault.sentence in json.dumps(entry)
               for scraper in ALL) == (level == "names")


# ---- The handout's prediction -----------------------------------------------------------------

SCENE = ABOUT + """
static int64_t first = -1;
static void told(void *arg, const struct page *page, size_t done, size_t total)
{
    (void)arg, (void)page, (void)done, (void)total;
    first = first < 0 ? co_now() : first;
}
CO_TEST(scene)
{
    static const char *const urls[] = {"http://a.test/1", "http://a.test/2", "http://a.test/3",
                                       "http://a.test/4", "http://a.test/5"};
    for (int i = 0; i < 5; i++)
        mock_get(urls[i], .delay = CO_MS(i == 0 ? 400 : 100));
    struct page out[5];
    struct summary summary;
    assert_int_equal(scrape_all(urls, 5, 2, CO_SEC(1), &(struct listener){.progress = told}, out, &summary), 0);
    fprintf(stderr, "%lld %d %lld", (long long)co_now() / 1000000, mock_peak(), (long long)first / 1000000);
}
"""


@pytest.mark.parametrize("letter, name", [("correct", "visible"), ("A", "visible-one_by_one"),
                                          ("B", "as_completed-batches"),
                                          ("C", "workers-limit_one_more"), ("D", "visible-news_at_the_end"),
                                          ("E", "own_timer-timer_runs_on")])
def test_numbers_of_the_prediction(tmp_path, letter, name):
    scraper = next(scraper for scraper in ALL if scraper.name == name)
    (tmp_path / "scene.c").write_text(SCENE)
    fault = [f"-DFAULT={scraper.fault.name}"] if scraper.fault else []
    subprocess.run(["gcc", f"@{ROOT / 'sim/kit/student.flags'}", f"-I{ROOT / 'sim/include'}", f"-I{LAB.folder}",
                    *fault, tmp_path / "scene.c", scraper.source, *KIT, "-o", tmp_path / "scene"], check=True)
    done = subprocess.run([tmp_path / "scene"], capture_output=True, text=True, timeout=20)
    end, peak, first = map(int, re.search(r"(\d+) (\d+) (\d+)", done.stderr).groups())
    row = re.search(rf"^\| {letter}\b[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|$", (LAB.folder / "timeline.md").read_text(),
                    re.M)
    told = [int(re.search(r"\d+", cell)[0]) for cell in row.groups()]
    assert (end >= told[0] if "or more" in row[1] else end == told[0]) and [peak, first] == told[1:]
