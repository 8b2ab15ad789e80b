#!/bin/sh
# deps.sh - what Looplab needs on this machine: looks, says, installs.
#
#     deps.sh install FILE         install what a student needs and is missing; write what was found to FILE, for make
#     deps.sh install FILE tests   the same, and the contributors' tools; what cannot be had is said and left out
#     deps.sh real FILE            install what the real world (REAL=1) needs and is missing; write FILE, for make
#     deps.sh sandbox              install what TIER=A needs and is missing
#     deps.sh parallel             install what ENGINE=parallel needs and is missing
#     deps.sh cluster              install what the tests of ENGINE=slurm need, as far as it can be had
#     deps.sh peers                install what `make bench PEERS=1` compares with, as far as it can be had
#     deps.sh slides               install what `make slides` needs, or say what is missing
#     deps.sh page DIR             the same for `make page`; DIR gets the source of Jansson, where it is not there yet
#     deps.sh doctor               change nothing; say what is there, what is missing, and what for
#
# Exit code 0, or 2 with one line on stderr that says what is missing and how to get it. Knows apt-get, dnf, pacman
# and brew.
# A tool is there when it works: libraries are found by compiling and linking a program with them. One that could not be
# tried, for want of room or memory, is not taken for missing: nothing is installed then.

set -u
export LC_ALL=C
CC=${CC:-gcc}
CROSS=aarch64-linux-gnu
log=build/deps.log

fail() {
    echo "deps: $*" >&2
    exit 2
}

work=$(mktemp -d 2>&1) || fail "no folder can be made in ${TMPDIR:-/tmp}, so nothing can be tried: $work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
trap '' XFSZ      # a file that grows past the limit is an error like any other

# ---- The tools ------------------------------------------------------------------------------------
# Name, what for, and the package in each manager ("-": it has none).

student_tools() {
    cat <<'END'
cc         | compiles your C files                          | gcc libc6-dev   | gcc glibc-devel   | gcc           | gcc
make       | the front door                                 | make            | make              | make          | make
ld         | catches sleep() and its like (--wrap)          | binutils        | binutils          | binutils      | binutils
sanitizers | find memory faults in your C files             | gcc             | libasan libubsan  | gcc           | gcc
python3    | runs the grader (3.9 or later)                 | python3         | python3           | python        | python
pytest     | runs the checks                                | python3-pytest  | python3-pytest    | python-pytest | pytest
jansson    | reads world files, writes reports (JSON)       | libjansson-dev  | jansson-devel     | jansson       | jansson
cmocka     | C unit tests: the kit's, and yours in lab 06   | libcmocka-dev   | libcmocka-devel   | cmocka        | cmocka
gcovr      | says which of your lines never ran             | gcovr           | gcovr             | gcovr         | gcovr
END
}

dev_tools() {
    cat <<'END'
tsan             | finds data races in the kit                             | gcc                | libtsan           | gcc                  | -
clang            | a second compiler must agree: same warnings, same trace | clang              | clang compiler-rt | clang compiler-rt    | -
clang-sanitizers | the same under clang's sanitizers                       | libclang-rt-dev    | compiler-rt       | compiler-rt          | -
gdb              | bt must end cleanly inside a task                       | gdb                | gdb               | gdb                  | -
valgrind         | a second opinion on memory                              | valgrind           | valgrind          | valgrind             | -
bubblewrap       | shuts programs in a file system of their own (TIER=A)   | bubblewrap         | bubblewrap        | bubblewrap           | -
xdist            | several test files at a time                            | python3-pytest-xdist | python3-pytest-xdist | python-pytest-xdist | -
jsonschema       | holds traces and worlds to their schemas                | python3-jsonschema | python3-jsonschema| python-jsonschema    | -
hypothesis       | draws worlds by chance: both worlds must agree           | python3-hypothesis | python3-hypothesis| python-hypothesis    | -
cross-cc         | builds for aarch64                                      | gcc-aarch64-linux-gnu libc6-dev-arm64-cross | - | aarch64-linux-gnu-gcc | -
qemu             | runs what was built for aarch64                         | qemu-user          | qemu-user-static  | qemu-user            | -
cross-libs       | Jansson and cmocka for aarch64                          | libjansson-dev:arm64 libcmocka-dev:arm64 | - | -              | -
libuv            | the real world: timers, sockets, files, threads         | libuv1-dev         | libuv-devel       | libuv                | libuv
libcurl          | the real world: HTTP                                    | libcurl4-openssl-dev | libcurl-devel   | curl                 | curl
nginx            | a server for the tests of the real world                | nginx-light        | nginx             | nginx                | nginx
openssl          | certificates for these tests                            | openssl            | openssl           | openssl              | openssl
curl             | a client that the real world is compared with           | curl               | curl              | curl                 | curl
parallel         | runs a class's shards here and over ssh                 | parallel           | parallel          | parallel             | parallel
aiohttp          | another one, in Python                                  | python3-aiohttp    | python3-aiohttp   | python-aiohttp       | -
END
}

# What TIER=A needs.
sandbox_tools() { dev_tools | grep -E '^bubblewrap '; }

# What ENGINE=parallel needs.
parallel_tools() { dev_tools | grep -E '^parallel '; }

# What REAL=1 needs besides what a student has: the libraries among the contributors' tools.
real_tools() { dev_tools | grep -E '^lib(uv|curl) '; }

cluster_tools() {
    cat <<'END'
slurm | a cluster on this machine | slurmctld slurmd slurm-client munge | - | - | -
END
}

peer_tools() {
    cat <<'END'
simgrid | actors in virtual time, C++      | libsimgrid-dev g++ | simgrid-devel gcc-c++ | -             | -
trio    | Python, with a clock that jumps  | python3-trio       | python3-trio          | python-trio   | -
st      | State Threads, coroutines in C   | libst-dev          | st-devel              | -             | -
pth     | GNU Pth, coroutines in C         | libpth-dev         | pth-devel             | -             | pth
END
}

slide_tools() {
    cat <<'END'
node     | runs Marp, which makes slides of Markdown  | nodejs           | nodejs             | nodejs     | node
npm      | fetches Marp, in its locked version        | npm ca-certificates | npm                | npm        | node
chromium | prints the slides as PDF                   | chromium         | chromium           | chromium   | -
fonts    | what the slides are written in             | fonts-dejavu-core fontconfig | dejavu-sans-fonts dejavu-sans-mono-fonts | ttf-dejavu | -
END
}

test_tools() { dev_tools; slide_tools; }

newline='
'

# ---- Looking --------------------------------------------------------------------------------------
# check_NAME prints the version and returns 0 when the tool works, and 1 when it is not there. Where it failed for
# another reason it prints that and returns 2. Dashes of a name become underscores.

absent='[Nn]o such file|not found|cannot find|unrecognized|nsupported|not supported|No module named|AssertionError'

# failed WHO TEXT: what a program that failed with this text is worth: 1 or 2, see above.
failed() {
    printf '%s\n' "$2" | grep -qE "$absent" && return 1
    printf '%s: %s\n' "$1" "$(printf '%s\n' "$2" | grep -v -e '^Traceback' -e '^ ' -e '^$' | sed -n 1p)"
    return 2
}

# says COMMAND...: the first line of what it prints.
says() {
    command -v "$1" > /dev/null || return 1
    said=$("$@" 2>&1) || { failed "$1" "$said" && return; return; }
    [ -n "$said" ] || return 1
    printf '%s\n' "${said%%"$newline"*}"
}

# with_cc COMPILER WORD...: runs a compiler that may be several words, quoted as for a shell: CC="ccache gcc".
with_cc() {
    with_cc=$1
    shift
    eval "$with_cc \"\$@\""
}

# The program that a compiler's words begin with.
program_of() {
    eval "set -- $1"
    echo "$1"
}

# links COMPILER SOURCE [FLAG...]: does this program compile and link?
links() {
    links_cc=$1
    try=$work/try-${tool:-}
    { printf '%s\n' "$2" > "$try.c"; } 2> /dev/null || { echo "a file in $work cannot be written"; return 2; }
    shift 2
    command -v "$(program_of "$links_cc")" > /dev/null || return 1
    said=$(with_cc "$links_cc" "$try.c" -o "$try" "$@" 2>&1) || failed "$links_cc" "$said"
}

# The value of a macro of a header.
macro() {
    printf '#include <%s>\n%s\n' "$1" "$2" | with_cc "$CC" -E -P - 2> /dev/null | tail -n 1 | tr -d '" '
}

empty_main='int main(void) { return 0; }'
use_jansson='#include <jansson.h>
int main(void) { return json_true() == 0; }'
use_cmocka='#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
int main(void) { print_message("there"); return 0; }'

check_cc() { links "$CC" "$empty_main" && with_cc "$CC" --version 2> /dev/null | sed -n 1p; }
check_make() { says "${MAKE:-make}" --version; }
check_ld() { links "$CC" "$empty_main" -Wl,--wrap=sleep && says ld --version; }
check_sanitizers() { links "$CC" "$empty_main" -fsanitize=address,undefined && echo "address, undefined"; }
check_jansson() { links "$CC" "$use_jansson" -ljansson && macro jansson.h JANSSON_VERSION; }
check_cmocka() { links "$CC" "$use_cmocka" -lcmocka && { pkg-config --modversion cmocka 2> /dev/null || echo there; }; }
check_gcovr() { says gcovr --version; }

# find_python MODULE: the first interpreter of $PYTHON, python3 on the PATH, /usr/bin/python3 that has it. Which one has
# pytest is asked for several times: $with_pytest knows it.
find_python() {
    [ "$1" != pytest ] || [ -z "${with_pytest:-}" ] || { printf '%s\n' "$with_pytest"; return; }
    why= result=1
    for candidate in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3; do
        command -v "$candidate" > /dev/null || continue
        said=$("$candidate" -I -W ignore -c \
            "import sys, $1; assert sys.version_info >= (3, 9); print(sys.executable)" 2>&1) &&
            { printf '%s\n' "$said" | tail -n 1; return 0; }
        said=$(failed "$candidate" "$said") || [ $? = 1 ] || { why=$said result=2; }
    done
    printf '%s\n' "$why"
    return $result
}

# python_says MODULE CODE: what the interpreter that has MODULE prints.
python_says() {
    found=$(find_python "$1") || { result=$?; echo "$found"; return $result; }
    says "$found" -I -W ignore -c "$2"
}
check_python3() { python_says sys 'import sys; print("Python", sys.version.split()[0])'; }
check_pytest() { python_says pytest 'import pytest, sys; print(pytest.__version__, "for", sys.executable)'; }

check_tsan() { links "$CC" "$empty_main" -fsanitize=thread && echo "thread"; }
check_clang() { links clang "$empty_main" && says clang --version; }
check_clang_sanitizers() { links clang "$empty_main" -fsanitize=address,undefined && echo "address, undefined"; }
check_gdb() { says gdb --version; }
check_valgrind() { says valgrind --version; }
check_jsonschema() { python_says pytest 'import jsonschema; print(jsonschema.__version__)'; }
check_bubblewrap() { says bwrap --version; }
check_xdist() { python_says pytest 'import xdist; print(xdist.__version__)'; }
check_hypothesis() { python_says pytest 'import hypothesis; print(hypothesis.__version__)'; }
check_cross_cc() { links $CROSS-gcc "$empty_main" && says $CROSS-gcc --version; }
check_qemu() { says qemu-aarch64 --version; }
check_cross_libs() {
    links $CROSS-gcc "$use_jansson" -ljansson && links $CROSS-gcc "$use_cmocka" -lcmocka && echo "jansson, cmocka"
}

check_libuv() { links "$CC" '#include <uv.h>
int main(void) { return uv_version() == 0; }' -luv && { pkg-config --modversion libuv 2> /dev/null || echo there; }; }
check_libcurl() { links "$CC" '#include <curl/curl.h>
int main(void) { return curl_version() == 0; }' -lcurl && macro curl/curl.h LIBCURL_VERSION; }
check_nginx() { (PATH=$PATH:/usr/sbin && says nginx -v); }
check_openssl() { says openssl version; }
check_curl() { says curl --version; }
check_aiohttp() {
    for python in "$(find_python pytest)" /usr/bin/python3; do
        "$python" -I -c 'import aiohttp; print(aiohttp.__version__)' 2> /dev/null && return
    done
    return 1
}

check_parallel() { says parallel --version; }
check_slurm() {
    (PATH=$PATH:/usr/sbin
    for program in munged slurmctld slurmd sbatch; do command -v $program > /dev/null || return 1; done
    says slurmctld -V)
}

check_simgrid() {
    links g++ '#include <simgrid/s4u.hpp>
int main() { return simgrid::s4u::Engine::get_clock() > 0; }' -std=c++17 -lsimgrid && echo there
}
check_trio() {
    for python in "$(find_python sys)" /usr/bin/python3; do
        "$python" -I -c 'import trio; print(trio.__version__)' 2> /dev/null && return
    done
    return 1
}
check_st() { links "$CC" '#include <st.h>
int main(void) { return st_init(); }' -lst && echo there; }
check_pth() { links "$CC" '#include <pth.h>
int main(void) { return !pth_init(); }' -lpth && echo there; }

check_node() { says node --version; }
check_npm() { says npm --version; }
check_chromium() {
    for browser in chromium chromium-browser google-chrome; do command -v $browser && return; done
    return 1
}
check_fonts() { command -v fc-list > /dev/null && fc-list | grep -q DejaVuSansMono && echo DejaVu; }

check() {
    case $1 in
    *-*) "check_${1%%-*}_${1#*-}" ;;
    *) "check_$1" ;;
    esac
}

names() { "$1" | cut -d '|' -f 1 | tr -d ' '; }

# try_all LIST: tries the tools of a list, four at a time; then `tools` are their names, and result_of knows them.
try_all() {
    begun=0 tools=$(names "$1")
    for tool in $tools; do
        { check "$tool" > "$work/$tool.said"; echo $? > "$work/$tool.code"; } 2> /dev/null &
        begun=$((begun + 1))
        [ $((begun % 4)) != 0 ] || wait
    done
    wait
}

# result_of TOOL: then `code` and `said` are what its check ended with and printed.
result_of() {
    code= said=
    { read -r code < "$work/$1.code"; IFS= read -r said < "$work/$1.said"; } 2> /dev/null
    [ -n "$code" ] || code=2 said="a file in $work cannot be written"
}

# look LIST: then `there` names the tools of a list that work, `need` those that are not there, and `stuck` says what
# kept the first of the others from being tried.
look() {
    there= need= stuck=
    try_all "$1"
    for tool in $tools; do
        result_of "$tool"
        case $code in
        0) there="$there $tool" ;;
        1) unneeded "$tool" || need="${need:+$need }$tool" ;;
        *) stuck=${stuck:-"$tool could not be tried: $said"} ;;
        esac
    done
}

# On an aarch64 machine the cross tools are of no use.
unneeded() {
    machine=${machine:-$(uname -m)}
    case $machine/$1 in aarch64/cross-* | aarch64/qemu | arm64/cross-* | arm64/qemu) return 0 ;; esac
    return 1
}

# field LIST NAME N: the Nth field of a tool.
field() {
    "$1" | awk -F '|' -v name="$2" -v n="$3" '{ gsub(/^ +| +$/, "", $1) }
        $1 == name { gsub(/^ +| +$/, "", $n); print $n }'
}

# ---- Installing -----------------------------------------------------------------------------------

find_manager() {
    column=2
    for manager in apt-get dnf pacman brew; do
        column=$((column + 1))
        command -v $manager > /dev/null && return 0
    done
    manager=
    return 1
}

# packages LIST NAME...: what to install for these tools, each package once.
packages() {
    list=$1
    shift
    "$list" | awk -F '|' -v names=" $* " -v n="$column" '{ gsub(/ /, "", $1) }
        index(names, " " $1 " ") { many = split($n, words, " "); for (i = 1; i <= many; i++)
            if (words[i] != "-" && !seen[words[i]]++) all = all (all == "" ? "" : " ") words[i] }
        END { printf "%s", all }'
}

# How to become root: nothing, or sudo where it asks nothing or can ask.
find_root() {
    as_root=
    [ "$manager" = brew ] || [ "$(id -u)" = 0 ] && return 0
    as_root=sudo
    command -v sudo > /dev/null && { sudo -n true 2> /dev/null || [ -t 0 ]; }
}

install_command() {
    case $manager in
    apt-get) echo "apt-get install -y --no-install-recommends" ;;
    dnf) echo "dnf install -y" ;;
    pacman) echo "pacman -S --noconfirm --needed" ;;
    brew) echo "brew install" ;;
    esac
}

# Runs a command as root, its output into the log.
root() {
    echo "+ $*" >> "$log"
    $as_root env DEBIAN_FRONTEND=noninteractive "$@" < /dev/null >> "$log" 2>&1 9<&-
}

refresh() {
    case $manager in
    apt-get) root apt-get update -q -o Acquire::Retries=3 ;;
    pacman) root pacman -Sy ;;
    *) : ;;
    esac
}

# One install of all packages given; the package lists are fetched when there are none or they are too old.
install_packages() {
    if [ "$manager" = apt-get ] && ! ls /var/lib/apt/lists/*_Packages* > /dev/null 2>&1; then
        refresh || return 1
    fi
    # shellcheck disable=SC2046 # the command is several words
    root $(install_command) "$@" || { refresh && root $(install_command) "$@"; }
}

# my_turn: waits until no other deps.sh on this machine installs. True if it is only now this one's turn: what was
# missing may be there by now. Where there is no flock nobody waits.
my_turn() {
    [ -z "${locked:-}" ] && command -v flock > /dev/null && exec 9< "$(command -v "$manager")" || return 1
    locked=yes
    flock -n 9 && return
    echo "deps: waiting for another make, which is installing"
    flock 9
}

# installing WORD...: installs these packages, and tells of it in one line, with the time it took.
installing() {
    mkdir -p build && : > "$log"
    printf '%s' "deps: installing $* (with $manager, log in $log): "
    began=$(date +%s)
    "${installer:-install_packages}" "$@"
    installed=$?
    [ $installed = 0 ] && word=took || word="failed after"
    echo "$word $(($(date +%s) - began)) s"
    return $installed
}

# The first package that fails on its own, for the error line.
culprit() {
    for package in "$@"; do
        # shellcheck disable=SC2046
        root $(install_command) "$package" || { echo "$package" && return 0; }
    done
    echo "$*"
}

last_error() { grep -iE '^(W|E|error): ' "$log" | grep -v -e 'Can not write log' -e 'Some index files' | tail -n 1; }

# Whether it failed at the network: then no other package can be had either.
unreachable() {
    grep -qiE -e 'failed to fetch|could not resolve|unable to connect|could not connect' \
        -e 'network is unreachable|cannot download|failed retrieving' "$log"
}

# Installs what is missing of a list, or ends with one line that says what could not be had.
install_all() {
    list=$1
    look "$list"
    [ -z "$stuck" ] || fail "$stuck"
    [ -n "$need" ] || return 0
    case " $need " in *" cc "*)
        [ "$CC" = gcc ] || fail "CC=$CC: this machine has no such compiler, or it does not work: say another one," \
            "or none for gcc" ;;
    esac
    # shellcheck disable=SC2086 # a list of names
    set -- $need
    find_manager || fail "missing: $*; no apt-get, dnf, pacman or brew here: please install them yourself"
    wanted=$(packages "$list" "$@")
    [ -n "$wanted" ] || fail "missing: $*; $manager has no package for it"
    find_root || fail "missing: $*; you are not root: please run \`$(install_command) $wanted\` as root"
    if my_turn; then
        install_all "$list"
        return
    fi
    # shellcheck disable=SC2086
    if ! installing $wanted; then
        ! unreachable || fail "missing: $*; $manager cannot fetch them ($(last_error)): say it again when there is" \
            "a network, or get them from elsewhere: $wanted"
        fail "$manager cannot install $(culprit $wanted): $(last_error) (log in $log)"
    fi
    look "$list"
    [ -z "$stuck" ] || fail "$stuck"
    [ -z "$need" ] || fail "$manager installed $wanted, but these still do not work: $need (make doctor says more)"
}

# install FILE [tests]
install() {
    install_all student_tools
    with_pytest=$(find_python pytest) || with_pytest=
    look test_tools
    [ -z "${2:-}" ] || install_test_tools
    {
        echo "looplab_deps := ok"
        echo "looplab_for := ${2:-students}"
        echo "looplab_asked := ${PYTHON:-}"
        echo "looplab_python := $with_pytest"
        echo "looplab_tools :=$there"
        echo "looplab_cores := $(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 1)"
    } > "$1.$$" && mv "$1.$$" "$1"      # others may be at it
}

real() {
    look real_tools
    if [ -n "$need$stuck" ]; then
        install_all real_tools
        rm -f build/deps.mk     # make then looks again
    fi
    mkdir -p "$(dirname "$1")" && echo ok > "$1"
}

# ---- The contributors' tools ----------------------------------------------------------------------

# clang's sanitizers have a package that follows clang's version; older releases know only numbered ones.
clang_sanitizer_packages() {
    version=$(apt-cache depends clang 2> /dev/null | sed -n 's/^ *Depends: clang-\([0-9]*\)$/\1/p' | sed -n 1p)
    for package in libclang-rt-dev "libclang-rt-$version-dev" "libclang-common-$version-dev"; do
        apt-cache show "$package" > /dev/null 2>&1 && echo "$package" && return
    done
    echo libclang-rt-dev
}

# Libraries for another architecture: Debian's mirrors have them beside its own; Ubuntu's have not, and then
# the architecture is taken out again, as it would break every later update.
add_architecture() {
    ! dpkg --print-foreign-architectures | grep -q arm64 || return 0
    root dpkg --add-architecture arm64
    refresh && ! unreachable && return 0
    root dpkg --remove-architecture arm64
    refresh
    return 1
}

# A server that is installed for the tests is not to be started as a service: Debian asks this file whether it may.
install_unstarted() {
    policy=/usr/sbin/policy-rc.d
    if [ -e $policy ]; then
        install_packages "$@"
        return
    fi
    root sh -c "printf '#!/bin/sh\nexit 101\n' > $policy && chmod +x $policy"
    install_packages "$@"
    installed=$?
    root rm -f $policy
    return $installed
}

# With apt-get: as install_unstarted, the other architecture's packages and clang's too. Where the whole cannot be had,
# each on its own: one that is not there does not keep the others away.
install_with_apt() {
    refresh || return 1
    ! unreachable || return 1
    case " $* " in
    *:arm64*) add_architecture || set -- $(printf '%s\n' "$@" | grep -v :arm64) ;;
    esac
    case " $* " in
    *" libclang-rt-dev "*) set -- $(printf '%s\n' "$@" | grep -vx libclang-rt-dev) "$(clang_sanitizer_packages)" ;;
    esac
    install_unstarted "$@" && return
    ! unreachable || return 1
    for package in "$@"; do
        install_unstarted "$package"
    done
}

# What is missing after a look at test_tools; then a look again.
install_test_tools() {
    if [ -n "$need" ]; then
        # shellcheck disable=SC2086 # a list of names
        why="no apt-get, dnf, pacman or brew here" && find_manager && wanted=$(packages test_tools $need) &&
            [ -n "$wanted" ] &&
            why="as root: $(install_command) $wanted" && find_root && {
            if my_turn; then
                look test_tools
                install_test_tools
                return
            fi
            [ "$manager" != apt-get ] || installer=install_with_apt
            installing $wanted
            why=$(last_error)
        }
        look test_tools
    fi
    [ -z "$stuck" ] || echo "deps: $stuck; tests that need it are skipped"
    [ -z "$need" ] || echo "deps: without $need (${why:-log in $log}); tests that need them are skipped;" \
        "make deps-dev tries again"
}

# each_of LIST WORDS: installs what is missing of a list, each on its own, and none of it is needed: where it cannot be
# had, the words say what follows. No server is started for it.
each_of() {
    look "$1"
    for tool in $need; do
        installer=install_packages
        find_manager && [ "$manager" = apt-get ] && installer=install_unstarted
        [ -n "$manager" ] && wanted=$(packages "$1" "$tool") && [ -n "$wanted" ] && find_root && installing $wanted
        check "$tool" > /dev/null ||
            echo "deps: without $tool ($(field "$1" "$tool" 2)): could not be installed, so $2" >&2
    done
}

# ---- The page --------------------------------------------------------------------------------------

page_tools() { slide_tools | grep -E '^(node|npm) '; }

# Jansson is compiled for the page: its source, from Debian's or Ubuntu's archive of sources, into the folder $1. Of the
# machine's own lists nothing is changed.
jansson_source() {
    [ ! -f "$1/src/jansson.h" ] || return 0
    command -v apt-get > /dev/null || fail "the page needs the source of Jansson (release 2.14, say): please" \
        "unpack it as $1"
    # shellcheck disable=SC2016 # apt's own words
    apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
        'Component: main' | grep -E 'debian|ubuntu' | sort -u > "$work/sources.list"
    mkdir -p "$work/lists/partial" "$work/cache" build
    options="-o Dir::Etc::sourcelist=$work/sources.list -o Dir::Etc::sourceparts=/dev/null"
    options="$options -o Dir::State::lists=$work/lists -o Dir::Cache=$work/cache -o APT::Sandbox::User=root"
    # shellcheck disable=SC2086 # several words
    (cd "$work" && apt-get $options update && apt-get $options source --download-only jansson) > "$log" 2>&1 ||
        fail "the source of Jansson cannot be fetched: $(last_error) (log in $log)"
    mkdir -p "$1" && tar -xzf "$work"/jansson_*.orig.tar.gz -C "$1" --strip-components=1 ||
        fail "the source of Jansson cannot be unpacked into $1"
}

page() {
    install_all page_tools
    jansson_source "$1"
}

# ---- Telling --------------------------------------------------------------------------------------

report() {
    try_all "$1"
    "$1" | while IFS='|' read -r name why _; do
        name=${name%% *}
        why=${why# }
        while [ "${why% }" != "$why" ]; do why=${why% }; done
        result_of "$name"
        if [ "$code" = 0 ]; then
            printf '  %-16s %s\n' "$name" "$said"
        elif [ "$code" = 2 ]; then
            printf '  %-16s could not be tried: %s\n' "$name" "$said"
        elif unneeded "$name"; then
            printf '  %-16s not needed on this machine\n' "$name"
        elif find_manager && wanted=$(packages "$1" "$name") && [ -n "$wanted" ]; then
            printf '  %-16s MISSING: %s. Package: %s\n' "$name" "$why" "$wanted"
        else
            printf '  %-16s MISSING: %s\n' "$name" "$why"
        fi
    done
}

# The names that a report calls missing.
missing_in() { echo "$1" | awk '$2 == "MISSING:" { printf "%s%s", blank, $1; blank = " " }'; }

doctor() {
    with_pytest=$(find_python pytest) || with_pytest=
    echo "What a student needs:"
    student=$(report student_tools)
    echo "$student"
    echo "What a contributor also has:"
    dev=$(report dev_tools)
    echo "$dev"
    echo "What \`make slides\` needs:"
    report slide_tools
    need=$(missing_in "$student")
    if [ -n "$need" ]; then
        echo "Missing: $need. Say: make deps"
        exit 2
    elif [ -n "$(missing_in "$dev")" ]; then
        echo "All there for the labs. For the contributors' tools say: make deps-dev"
    else
        echo "All there."
    fi
}

case ${1:-} in
install) install "${2:?the file for make}" "${3:-}" ;;
real) real "${2:?the file for make}" ;;
sandbox) install_all sandbox_tools ;;
parallel) install_all parallel_tools ;;
cluster) each_of cluster_tools "its tests are skipped" ;;
peers) each_of peer_tools "it is not compared" ;;
slides) install_all slide_tools ;;
page) page "${2:?the folder for Jansson}" ;;
doctor) doctor ;;
*) echo "usage: deps.sh install FILE [tests] | real FILE | sandbox | parallel | cluster | peers | slides |" \
    "page DIR | doctor" >&2 && exit 2 ;;
esac
