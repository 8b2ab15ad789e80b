"""The mechanical changes of mutation.py, and a small sample of them in every lab: nearly all of them cost points."""

from __future__ import annotations

import os

import pytest

from grading import OURS, complete_labs
from variants import some
from mutate import FOLDER, candidates, equivalents, machine_code, try_some
from mutation import bodies, further, mutants, spread, tokens

LABS = [lab for lab in complete_labs()[0] if lab.slug in OURS]
SAMPLE = 3 if os.environ.get("LOOPLAB_ALL") else 1
LEAST = 40      # of each lab, such as compile to another program

FILE = r'''/* f(1 < 2) { x; } */
#include "a.h"
#define MORE(x) { x + 1 }

static const int table[] = {1, 2};
struct pair { int a, b; };

static int add(int a, int *b)
{
    int sum = a + *b;   // not - this
    if (a < 3 && !b)
        return -1;
    for (int i = 0; i < a; i++)
        sum += i;
    first("text", 'c');
    second();
    return sum;
}

int other(void) { return 0; }
'''


def changes(text: str) -> dict[str, list[str]]:
    """The new lines of the mutants, by what was done."""
    found: dict[str, list[str]] = {}
    for mutant in mutants(text):
        found.setdefault(mutant.what, []).append(mutant.id.split("` -> `")[1][:-1])
    return found


def test_only_function_bodies_are_changed():
    assert [name for name, _ in bodies(tokens(FILE))] == ["add", "other"]
    first, last = FILE.index("int sum"), FILE.index("}\n\nint other")
    assert all(first <= mutant.begin < mutant.end <= last or mutant.begin > FILE.index("other(void)")
               for mutant in mutants(FILE))


def test_operators_and_constants():
    made = changes(FILE)
    assert "int sum = a - *b;" in made["operator"] and "if (a <= 3 && !b)" in made["operator"] \
        and "if (a < 3 || !b)" in made["operator"]
    assert "sum -= i;" in made["operator"] and "for (int i = 0; i < a; i--)" in made["operator"]
    assert not any("+1" in line or "return +1" in line
                   for line in made["operator"]), "a sign is no operator between two values"
    assert set(made["constant"]) >= {"if (a < 4 && !b)", "return -2;", "for (int i = 1; i < a; i++)",
                                     '''first("text#", 'c');''', '''first("text", '#');'''}


def test_conditions_are_negated():
    assert set(changes(FILE)["negate"]) == {"if (!(a < 3 && !b))", "if (a < 3 && b)", "for (int i = 0; !(i < a); i++)"}


def test_statements_are_left_out_and_swapped():
    made = changes(FILE)
    assert set(made["drop"]) >= {";", "int other(void) { ; }"} and len(made["drop"]) == 7
    assert '''second(); first("text", 'c');''' in made["swap"] and len(made["swap"]) <= 4
    assert set(made["result"]) == {"return 0;", "int other(void) { return -1; }"}


def test_further_changes_for_short_files():
    text = FILE.replace("    second();\n", """    if (rc == -ENOMEM)
        out = (struct pair){.a = x[i], .b = -1};
    second(a, 2);
    return a ? b : c;
""")
    made: dict[str, list[str]] = {}
    for mutant in further(text):
        made.setdefault(mutant.what, []).append(mutant.id.split("` -> `")[1].rstrip("`"))
    assert "second(2, a);" in made["neighbours"] and "second(a, 1);" in made["constant"]
    assert "second(a, 2); second(a, 2);" in made["twice"] and "return a ? c : b;" in made["choice"]
    assert "out = (struct pair){.a = -1, .b = x[i]};" in made["neighbours"]
    assert made["initial"] == ["out = (struct pair){.b = -1};", "out = (struct pair){.a = x[i]};"]
    assert made["index"] == ["out = (struct pair){.a = x[0], .b = -1};"]
    assert {"if (rc == ENOMEM)", "out = (struct pair){.a = x[i], .b = 1};", "return 1;"} == set(made["sign"])
    assert "if (0)" in made["never"] and "if (1)" in made["always"]
    assert not any("int sum" in line for line in made["twice"]), "what is declared twice does not compile"
    ids = [mutant.id for mutant in mutants(text) + further(text)]
    assert len(set(ids)) == len(ids)


def test_each_mutant_has_an_id_of_its_own_that_does_not_depend_on_lines():
    made = mutants(FILE)
    assert len({mutant.id for mutant in made}) == len(made)
    assert [mutant.id for mutant in mutants("/* a comment */\n\n" + FILE)] == [mutant.id for mutant in made]
    assert all(mutant.of(FILE) != FILE for mutant in made)


def test_an_id_shows_texts_and_no_comments():
    made = mutants('int f(void)\n{\n    get("http://a.test", 1);   // a comment\n    return 0; /* another */\n}\n')
    shown = [mutant.id for mutant in made]
    assert 'f: `get("http://a.test", 1);` -> `get("http://a.test", 2);`' in shown \
        and not any("comment" in name or "another" in name for name in shown)


def test_the_first_ones_lie_all_over_the_file():
    made = mutants(FILE * 9)
    some = spread(made)
    assert sorted(mutant.id for mutant in some) == sorted(mutant.id for mutant in made)
    lines = sorted(mutant.line for mutant in some[:8])
    assert max(b - a for a, b in zip(lines, lines[1:])) < (FILE * 9).count("\n") / 4


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_there_are_many_mutants_of_every_solution(lab):
    text = (lab.solution / lab.source).read_text()
    assert len(mutants(text)) >= 45
    if not os.environ.get("LOOPLAB_ALL"):       # compiling them all takes its time
        return
    found, original = 0, machine_code(lab, text)
    for mutant in candidates(text):
        found += machine_code(lab, mutant.of(text)) not in ("", original)
        if found == LEAST:
            return
    pytest.fail(f"only {found} of {len(candidates(text))} compile to another program")


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_what_may_survive_exists_and_has_a_reason(lab):
    known = {mutant.id for mutant in candidates((lab.solution / lab.source).read_text())}
    for name, reason in equivalents(lab).items():
        assert name in known, f"{FOLDER.name}/{lab.slug}.json: the solution has no such mutant any more: {name}"
        assert len(reason.split()) > 3, f"{name}: say why"


@pytest.mark.parametrize("lab", some(LABS, 2), ids=lambda lab: lab.slug)
def test_a_sample_of_mutants_loses_points(lab):
    tried = list(try_some(lab, SAMPLE, 2))
    survivors = [one.told() for one in tried if not one.killed and not one.reason]
    assert len(tried) == SAMPLE and len(survivors) <= SAMPLE // 3, "\n".join(survivors)
