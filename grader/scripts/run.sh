#!/bin/sh
# run.sh - builds a lab's program from a student's file and runs it, or an example: what `make run` does.
#
# An example: EXAMPLE (its number or its name), SEED, TRACE, TAPE, CC.
# A lab: LAB, FROM (a folder with the file, or a tree with NN-slug folders; default labs),
# MODE, WORLD (default: the lab's default.json, else its first), SEED, TRACE, TAPE, URLS and SET (NAME=VALUE; both with
# blanks between them), JSON=1, CC.
# REAL=1, with both: in the real world, for which it is linked with libuv and libcurl. An example that has a world of
# its own meets that world's servers, on this machine.
# The lab of warm-ups: LAB, FROM, MODE (which one: 07), WORLD, SET, SEED, TRACE, TAPE, CC.
# A lab whose student's file is a test suite: LAB, FROM, TEST (names of tests), FAULT (one that is built into what is
# tested), TRACE, CC.
# EXPLORE=1, with a lab that is no suite: not once but in very many orders (sim/explore/search): DEPTH (at most so many,
# default 20000), SAME (reports that must be the same in all, commas between them), JSON (a file for what was found),
# TRIALS=1 (in the plain order, once for each allocation, which fails, and once for each step, after which all is
# cancelled).
# Exit code 0: nothing was found; 1: something was.
# Exit code: the program's own; 2 when something asked for is not there or does not compile.
#
# The program is made and run in a folder of its own, so that two runs at once do not get each other's; what was made
# last also stays as build/run/NAME/program, for gdb.

set -u
from=${FROM:-labs}

# As in a grading each task has its floating-point modes, though the program may set them by other means than <fenv.h>.
link='@sim/kit/link.flags -Wl,-u,co__calls_fenv'

# The compiler may be several words, quoted as for a shell: CC="ccache gcc".
compile() { eval "$CC \"\$@\""; }

fail() {
    echo "run: $*" >&2
    exit 2
}

# own_folder NAME: makes $out, a folder of this run's own in build/run/NAME, which goes when it ends.
own_folder() {
    kept=build/run/$1
    mkdir -p "$kept"
    out=$(mktemp -d "$kept/.run-XXXXXX") || fail "cannot write into $kept"
    trap 'rm -rf "$out"' EXIT
    for ending in 1 2 3 15; do
        # shellcheck disable=SC2064 # the number as it is now
        trap "exit $((128 + ending))" "$ending"
    done
}

# run PROGRAM [ARGUMENT...]: leaves a copy of it for gdb, put there whole, then runs it. Ends with its code.
run() {
    { ln "$1" "$out/kept" 2> /dev/null || cp "$1" "$out/kept"; } && mv -f "$out/kept" "$kept/${1##*/}"
    trap : 1 2 3 15     # they reach the program, whose code counts
    "$@"
    exit $?
}

# The lab that "1", "01" or its whole name means.
find_lab() {
    for folder in labs/[0-9][0-9]-*/; do
        folder=${folder%/}
        lab=${folder#labs/}
        number=${lab%%-*}
        case ${LAB:-} in "$lab" | "$number" | "${number#0}") return 0 ;; esac
    done
    return 1
}

# The example that "7", "07" or its whole name means.
find_example() {
    for source in sim/examples/[0-9][0-9]-*.c; do
        example=${source##*/} example=${example%.c}
        number=${example%%-*}
        case $EXAMPLE in "$example" | "$number" | "${number#0}") return 0 ;; esac
    done
    return 1
}

# serve_world FILE: its servers run beside the program, until this script ends; the environment says where they are.
serve_world() {
    mkfifo "$out/served" || fail "cannot write into $out"
    build/kit/serve "$1" > "$out/served" < /dev/null &
    server=$!
    trap 'kill "$server" 2> /dev/null; rm -rf "$out"' EXIT
    CO_CONNECT_TO=none
    while read -r line; do
        case $line in CO_CONNECT_TO=*) CO_CONNECT_TO=${line#*=} && break ;; esac
    done < "$out/served"
    [ "$CO_CONNECT_TO" != none ] || fail "$1 cannot be served on this machine"
    CO_CPUS=$(sed -n 's/.*"cpus": *\([0-9]*\).*/\1/p' "$1")
    export CO_CONNECT_TO no_proxy='*' CO_CPUS="${CO_CPUS:-4}"
    ! grep -Eq '"(disk|descriptors)":' "$1" || export CO_DISK="$1"
}

run_example() {
    find_example || fail "there is no example '$EXAMPLE'; the examples are:
$(for source in sim/examples/[0-9][0-9]-*.c; do source=${source##*/} && echo "  ${source%.c}"; done)"
    case ${REAL:+$number} in
        40) fail "$example compares times with ==, which only the virtual clock grants: run it without REAL=1" ;;
    esac
    [ -z "${REAL:-}" ] || ! grep -qs '"databases":' "${source%.c}.json" ||
        fail "$example works on the database of its world, which no real server holds: run it without REAL=1"
    own_folder examples
    # shellcheck disable=SC2086 # two words
    compile @sim/kit/student.flags -O1 -Isim/include "$source" ${REAL:+build/kit/libco-real.a} build/kit/libco.a \
        $link \
        ${REAL:+@sim/kit/real.flags} -o "$out/$example" ||
        fail "$source does not compile: mend what the compiler says above, the first error first"
    # An example takes no arguments; what it leaves open it reads from the environment (co.h, struct co_options).
    if [ -n "${REAL:-}" ]; then
        export CO_WORLD=real
        if [ ! -f "${source%.c}.json" ]; then :
        elif grep -q '"clients":' "${source%.c}.json"; then
            echo "run: $example is a server, and waits for you at port 8080 (a browser, curl) until Ctrl-C" >&2
        else
            serve_world "${source%.c}.json"
        fi
    fi
    [ -z "${SEED:-}" ] || export CO_SEED="$SEED"
    [ -z "${TRACE:-}" ] || export CO_TRACE="$TRACE"
    [ -z "${TAPE:-}" ] || export CO_TAPE="$TAPE"
    run "$out/$example"
}

[ -z "${EXAMPLE:-}" ] || [ -z "${LAB:-}" ] || fail "say LAB or EXAMPLE, not both"
[ -z "${EXAMPLE:-}" ] || run_example

labs=$(for folder in labs/[0-9][0-9]-*/; do folder=${folder%/} && echo "${folder##*/}"; done | paste -s -d ' ' -)
[ -n "${LAB:-}" ] || fail "say which, as in: make run LAB=01, or make run EXAMPLE=17; the labs are: $labs"
find_lab || fail "there is no lab '$LAB'; the labs are: $labs"

[ -d "$from" ] || fail "FROM=$from: there is no such folder"
[ ! -d "$from/$lab" ] || from=$from/$lab

# A warm-up: MODE says which. It is loaded by the program that all of them share.
run_warmup() {
    for part in "labs/$lab"/[0-9][0-9]-*.c; do
        part=${part##*/} number=${part%%-*}
        case ${MODE:-} in "${part%.c}" | "$number" | "${number#0}") break ;; esac
        part=
    done
    [ -n "$part" ] || fail "say which warm-up, as in: make run LAB=00 MODE=07; there are $(
        for one in "labs/$lab"/[0-9][0-9]-*.c; do one=${one##*/} && printf '%s ' "${one%%-*}"; done)"
    [ -z "${REAL:-}${EXPLORE:-}" ] || fail "a warm-up runs in its own world, in the plain order only"
    [ -f "$from/$part" ] || fail "$from/$part: there is no such file"
    own_folder "$lab"
    # shellcheck disable=SC2086 # two words
    compile @sim/kit/student.flags -O0 -fPIC -shared -nostdlib -Isim/include "-Ilabs/$lab" "$from/$part" -lgcc \
        $link -o "$out/part.so" ||
        fail "$from/$part does not compile: mend what the compiler says above, the first error first"
    name=${WORLD:-${part%.c}.json}
    WORLD=${WORLD:-}
    [ ! -f "labs/$lab/worlds/$name" ] || WORLD=labs/$lab/worlds/$name
    [ -z "$WORLD" ] || [ -f "$WORLD" ] || fail "WORLD=$WORLD: there is no such file"
    set -f --
    for setting in ${SET:-}; do set -- "$@" --set "$setting"; done
    cp "build/kit/$lab/program" "$out/program" || fail "cannot write into $out"
    run "$out/program" ${WORLD:+--world "$WORLD"} ${SEED:+--seed "$SEED"} ${TRACE:+--trace "$TRACE"} \
        ${TAPE:+--tape "$TAPE"} "$@" run "$out/part.so"
}
[ ! -f "labs/$lab/warmup.h" ] || run_warmup

# The suite and what it tests: only the suite is the student's.
run_suite() {
    [ -z "${REAL:-}" ] || fail "the tests of $lab bring worlds of their own, simulated ones: run it without REAL=1"
    suite=$from/${1##*/}
    [ -f "$suite" ] || fail "$suite: there is no such file"
    own_folder "$lab"
    tested=
    for source in "labs/$lab"/*.c; do
        case ${source##*/} in main.c | test_*) ;; *) tested="$tested $source" ;; esac
    done
    # shellcheck disable=SC2086 # a list of files, of this repository
    [ -z "${FAULT:-}" ] || grep -qw "enum {.*$FAULT.*};" $tested ||
        fail "there is no fault '$FAULT'; there are:$(sed -n 's/^enum { no_fault,\(.*\) };/\1/p' $tested)"
    # shellcheck disable=SC2086 # lists of words
    [ -z "${EXPLORE:-}" ] || fail "the tests of $lab are not explored: they run in their plain order"
    compile @sim/kit/student.flags -O1 -Isim/include "-Ilabs/$lab" ${FAULT:+-DFAULT="$FAULT"} "$suite" $tested \
        "build/kit/$lab/main.o" \
        build/kit/libco.a $link -lcmocka -o "$out/program" ||
        fail "$suite does not compile: mend what the compiler says above, the first error first"
    # shellcheck disable=SC2086 # a list of names
    run "$out/program" ${TRACE:+--trace "$TRACE"} ${TEST:-}
}
for source in "labs/$lab"/test_*.c; do
    [ ! -f "$source" ] || run_suite "$source"
done

[ -z "${WORLD:-}" ] || [ -z "${REAL:-}" ] ||
    fail "say WORLD or REAL=1, not both; to meet a world's servers for real: make compare LAB=$LAB WORLD=$WORLD"
[ -z "${EXPLORE:-}" ] || [ -z "${REAL:-}" ] || fail "real servers choose their order themselves: explore without REAL=1"
case ${DEPTH:-1} in *[!0-9]* | '') fail "DEPTH=$DEPTH: say how many orders at most, as in DEPTH=50000" ;; esac
SHOWN=${WORLD:-}
[ -z "${WORLD:-}" ] || [ -f "$WORLD" ] || [ ! -f "labs/$lab/worlds/$WORLD" ] || WORLD=labs/$lab/worlds/$WORLD
if [ -z "${WORLD:-}${REAL:-}" ]; then
    for WORLD in "labs/$lab"/worlds/default.json "labs/$lab"/worlds/*.json; do [ ! -f "$WORLD" ] || break; done
fi

# The student's files are those the skeleton has: each C file of the lab but main.c.
own_folder "$lab"
steps= kit="build/kit/$lab/main.o ${REAL:+build/kit/libco-real.a} build/kit/libco.a"
if [ -n "${EXPLORE:-}" ]; then
    steps=@sim/explore/search/step.flags
    case $(compile --version) in *clang*) steps="$steps -fsanitize-coverage=no-prune" ;; esac
    kit="build/kit/$lab/main-explore.o -Wl,--whole-archive build/kit/libco-explore.a -Wl,--no-whole-archive"
    link="$link @sim/explore/search/link.flags"
fi
# build FOLDER PROGRAM: the program of the files in a folder.
build() {
    folder=$1 made=$2
    set --
    for skeleton in "labs/$lab"/*.c; do
        name=${skeleton##*/} name=${name%.c}
        [ "$name" != main ] || continue
        [ -f "$folder/$name.c" ] || fail "$folder/$name.c: there is no such file"
        header=
        [ ! -f "labs/$lab/$name.h" ] || header="-include labs/$lab/$name.h"
        # shellcheck disable=SC2086 # words, or none
        compile @sim/kit/student.flags -O1 $steps -Isim/include "-Ilabs/$lab" $header -c "$folder/$name.c" \
            -o "$made-$name.o" ||
            fail "$folder/$name.c does not compile: mend what the compiler says above, the first error first"
        objcopy --keep-global-symbols="build/kit/$lab/names.txt" "$made-$name.o" || fail "objcopy: see above"
        [ -z "${EXPLORE:-}" ] || objcopy --redefine-syms=sim/explore/search/names.txt "$made-$name.o" ||
            fail "objcopy: see above"
        set -- "$@" "$made-$name.o"
    done
    # shellcheck disable=SC2086 # lists of words
    compile "$@" $kit $link ${REAL:+@sim/kit/real.flags} -o "$made" ||
        fail "the program does not link: a function that $lab asks for is missing, see above"
}
build "$from" "$out/program"
if [ -n "${EXPLORE:-}" ] && [ -d "solutions/$lab" ] && [ "$from" != "solutions/$lab" ]; then
    (trap - EXIT && build "solutions/$lab" "$out/reference")
fi

# explore WORDS...: the program of this run in one order after the other. The reference, where there is one, has been
# before: what is under way together there and never here is too much order.
explore() {
    again="make run LAB=$LAB${FROM:+ FROM=$FROM}${MODE:+ MODE=$MODE}${SHOWN:+ WORLD=$SHOWN}${SEED:+ SEED=$SEED}"
    again="$again${SET:+ SET=\"$SET\"}${URLS:+ URLS=\"$URLS\"}"
    depth=${DEPTH:-20000} beside=
    [ -z "${TRIALS:-}" ] || export CO_EXPLORE_TRIALS=1
    export LD_BIND_NOW=1
    if [ -x "$out/reference" ] && [ -z "${TRIALS:-}" ]; then
        beside=$out/beside.json
        CO_EXPLORE=$((depth / 4)) CO_EXPLORE_JSON=$beside "$out/reference" "$@" > "$out/said" 2>&1 || beside=
    fi
    CO_EXPLORE=$depth CO_EXPLORE_SAME=${SAME:-} CO_EXPLORE_AGAIN=$again CO_EXPLORE_JSON=$out/explored.json \
        CO_EXPLORE_BESIDE=$beside "$out/program" "$@"
    code=$?
    [ -f "$out/explored.json" ] || [ "$code" = 2 ] ||
        { echo "explore: the program ended before its first task (exit code $code)" >&2 && code=1; }
    [ -z "${JSON:-}" ] || [ ! -f "$out/explored.json" ] || cp "$out/explored.json" "$JSON" || code=3
    exit "$code"
}

set -f -- # a URL's ? and * are no patterns
for setting in ${SET:-}; do set -- "$@" --set "$setting"; done
# shellcheck disable=SC2086 # URLS is a list
[ -z "${EXPLORE:-}" ] || explore ${WORLD:+--world "$WORLD"} ${SEED:+--seed "$SEED"} "$@" \
    ${MODE:+"$MODE"} ${URLS:-}
# shellcheck disable=SC2086 # URLS is a list
run "$out/program" ${REAL:+--real} ${WORLD:+--world "$WORLD"} ${SEED:+--seed "$SEED"} ${TRACE:+--trace "$TRACE"} \
    ${TAPE:+--tape "$TAPE"} \
    "$@" ${JSON:+--json} ${MODE:+"$MODE"} ${URLS:-}
