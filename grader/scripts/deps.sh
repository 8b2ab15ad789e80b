#!/bin/sh
# deps.sh - what Looplab needs on this machine: looks, says, installs.
#
#     deps.sh install FILE   install what a student needs and is missing; write what was found to FILE, for make
#     deps.sh real FILE      install what the real world (REAL=1) needs and is missing; write FILE, for make
#     deps.sh dev            install the contributors' tools too; what cannot be had is said and left out
#     deps.sh peers          install what `make bench PEERS=1` compares with, as far as it can be had
#     deps.sh slides         install what `make slides` needs, or say what is missing
#     deps.sh doctor         change nothing; say what is there, what is missing, and what for
#
# Exit code 0, or 2 with one line that says what is missing. Knows apt-get, dnf, pacman and brew.
# A tool is there when it works: libraries are found by compiling and linking a program with them.

set -u
export LC_ALL=C
CC=${CC:-gcc}
CROSS=aarch64-linux-gnu
log=build/deps.log
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# ---- The tools ------------------------------------------------------------------------------------
# Name, what for, and the package in each manager ("-": it has none; "=": comes with another tool).

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
xdist            | several test files at a time                            | python3-pytest-xdist | python3-pytest-xdist | python-pytest-xdist | -
jsonschema       | holds traces and worlds to their schemas                | python3-jsonschema | python3-jsonschema| python-jsonschema    | -
cross-cc         | builds for aarch64                                      | gcc-aarch64-linux-gnu libc6-dev-arm64-cross | - | aarch64-linux-gnu-gcc | -
qemu             | runs what was built for aarch64                         | qemu-user          | qemu-user-static  | qemu-user            | -
cross-libs       | Jansson and cmocka for aarch64                          | libjansson-dev:arm64 libcmocka-dev:arm64 | - | -              | -
libuv            | the real world: timers, sockets, files, threads         | libuv1-dev         | libuv-devel       | libuv                | libuv
libcurl          | the real world: HTTP                                    | libcurl4-openssl-dev | libcurl-devel   | curl                 | curl
nginx            | a server for the tests of the real world                | nginx-light        | nginx             | nginx                | nginx
openssl          | certificates for these tests                            | openssl            | openssl           | openssl              | openssl
curl             | a client that the real world is compared with           | curl               | curl              | curl                 | curl
aiohttp          | another one, in Python                                  | python3-aiohttp    | python3-aiohttp   | python-aiohttp       | -
END
}

# What REAL=1 needs besides what a student has: the libraries among the contributors' tools.
real_tools() { dev_tools | grep -E '^lib(uv|curl) '; }

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
npm      | fetches Marp, in its locked version        | npm              | npm                | npm        | node
chromium | prints the slides as PDF                   | chromium         | chromium           | chromium   | -
fonts    | what the slides are written in             | fonts-dejavu-core fontconfig | dejavu-sans-fonts dejavu-sans-mono-fonts | ttf-dejavu | -
END
}

# ---- Looking --------------------------------------------------------------------------------------
# check_NAME prints the version and returns 0 when the tool works. dashes of a name become underscores.

first_line() { "$@" 2>/dev/null | sed -n 1p; }

# links COMPILER SOURCE [FLAG...]: does this program compile and link?
links() {
    links_cc=$1
    printf '%s\n' "$2" > "$work/try.c"
    shift 2
    command -v "$links_cc" > /dev/null && "$links_cc" "$work/try.c" -o "$work/try" "$@" > /dev/null 2>&1
}

# The value of a macro of a header.
macro() {
    printf '#include <%s>\n%s\n' "$1" "$2" | "$CC" -E -P - 2> /dev/null | tail -n 1 | tr -d '" '
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

check_cc() { links "$CC" "$empty_main" && first_line "$CC" --version; }
check_make() { first_line "${MAKE:-make}" --version; }
check_ld() { links "$CC" "$empty_main" -Wl,--wrap=sleep && first_line ld --version; }
check_sanitizers() { links "$CC" "$empty_main" -fsanitize=address,undefined && echo "address, undefined"; }
check_jansson() { links "$CC" "$use_jansson" -ljansson && macro jansson.h JANSSON_VERSION; }
check_cmocka() { links "$CC" "$use_cmocka" -lcmocka && { pkg-config --modversion cmocka 2> /dev/null || echo there; }; }
check_gcovr() { first_line gcovr --version | grep .; }

# find_python MODULE: the first interpreter of $PYTHON, python3 on the PATH, /usr/bin/python3 that has it.
find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 /usr/bin/python3; do
        "$candidate" -c "import sys, $1; assert sys.version_info >= (3, 9); print(sys.executable)" 2> /dev/null && return 0
    done
    return 1
}
check_python3() { found=$(find_python pytest || find_python sys) && first_line "$found" --version; }
check_pytest() { found=$(find_python pytest) && "$found" -c 'import pytest, sys; print(pytest.__version__, "for", sys.executable)'; }

check_tsan() { links "$CC" "$empty_main" -fsanitize=thread && echo "thread"; }
check_clang() { links clang "$empty_main" && first_line clang --version; }
check_clang_sanitizers() { links clang "$empty_main" -fsanitize=address,undefined && echo "address, undefined"; }
check_gdb() { first_line gdb --version | grep .; }
check_valgrind() { first_line valgrind --version | grep .; }
check_jsonschema() {
    found=$(find_python pytest) && "$found" -W ignore -c 'import jsonschema; print(jsonschema.__version__)' 2> /dev/null
}
check_xdist() { found=$(find_python pytest) && "$found" -W ignore -c 'import xdist; print(xdist.__version__)' 2> /dev/null; }
check_cross_cc() { links $CROSS-gcc "$empty_main" && first_line $CROSS-gcc --version; }
check_qemu() { first_line qemu-aarch64 --version | grep .; }
check_cross_libs() { links $CROSS-gcc "$use_jansson" -ljansson && links $CROSS-gcc "$use_cmocka" -lcmocka && echo "jansson, cmocka"; }

check_libuv() { links "$CC" '#include <uv.h>
int main(void) { return uv_version() == 0; }' -luv && { pkg-config --modversion libuv 2> /dev/null || echo there; }; }
check_libcurl() { links "$CC" '#include <curl/curl.h>
int main(void) { return curl_version() == 0; }' -lcurl && macro curl/curl.h LIBCURL_VERSION; }
check_nginx() { PATH=$PATH:/usr/sbin nginx -v 2>&1 | sed -n 's/^nginx version: //p' | grep .; }
check_openssl() { first_line openssl version | grep .; }
check_curl() { first_line curl --version | grep .; }
check_aiohttp() {
    for python in "$(find_python pytest)" /usr/bin/python3; do "$python" -c 'import aiohttp; print(aiohttp.__version__)' 2> /dev/null && return; done
    return 1
}

check_simgrid() {
    links g++ '#include <simgrid/s4u.hpp>
int main() { return simgrid::s4u::Engine::get_clock() > 0; }' -std=c++17 -lsimgrid && echo there
}
check_trio() { for python in "$(find_python sys)" /usr/bin/python3; do "$python" -c 'import trio; print(trio.__version__)' 2> /dev/null && return; done; return 1; }
check_st() { links "$CC" '#include <st.h>
int main(void) { return st_init(); }' -lst && echo there; }
check_pth() { links "$CC" '#include <pth.h>
int main(void) { return !pth_init(); }' -lpth && echo there; }

check_node() { first_line node --version | grep .; }
check_npm() { first_line npm --version | grep .; }
check_chromium() { for browser in chromium chromium-browser google-chrome; do command -v $browser && return; done; return 1; }
check_fonts() { command -v fc-list > /dev/null && fc-list | grep -q DejaVuSansMono && echo DejaVu; }

check() { "check_$(echo "$1" | tr - _)"; }

# names LIST: all tools of a list; missing LIST: those that do not work; working LIST: those that do.
names() { "$1" | cut -d '|' -f 1 | tr -d ' '; }
missing() { for tool in $(names "$1"); do check "$tool" > /dev/null || printf '%s ' "$tool"; done | sed 's/ $//'; }
working() { for tool in $(names "$1"); do check "$tool" > /dev/null && printf '%s ' "$tool"; done | sed 's/ $//'; }

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
    for tool in "$@"; do
        field "$list" "$tool" "$column"
    done | tr ' ' '\n' | awk '$0 != "-" && $0 != "" && !seen[$0]++' | tr '\n' ' ' | sed 's/ $//'
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
    $as_root env DEBIAN_FRONTEND=noninteractive "$@" < /dev/null >> "$log" 2>&1
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

# The first package that fails on its own, for the error line.
culprit() {
    for package in "$@"; do
        # shellcheck disable=SC2046
        root $(install_command) "$package" || { echo "$package" && return 0; }
    done
    echo "$*"
}

last_error() { grep -iE '^(E|error): ' "$log" | grep -v 'Can not write log' | tail -n 1; }

fail() {
    echo "deps: $*" >&2
    exit 2
}

# Installs what is missing of a list, or ends with one line that says what could not be had.
install_all() {
    list=$1
    need=$(missing "$list")
    [ -n "$need" ] || return 0
    # shellcheck disable=SC2086 # a list of names
    set -- $need
    find_manager || fail "missing: $*; no apt-get, dnf, pacman or brew here: please install them yourself"
    wanted=$(packages "$list" "$@")
    [ -n "$wanted" ] || fail "missing: $*; $manager has no package for it"
    find_root || fail "missing: $*; you are not root: please run \`$(install_command) $wanted\` as root"
    mkdir -p build && : > "$log"
    echo "deps: installing $wanted (with $manager, log in $log)"
    # shellcheck disable=SC2086
    install_packages $wanted ||
        fail "$manager cannot install $(culprit $wanted): $(last_error) (log in $log)"
    need=$(missing "$list")
    [ -z "$need" ] || fail "$manager installed $wanted, but these still do not work: $need (make doctor says more)"
}

install_student() { install_all student_tools; }

install() {
    install_student
    {
        echo "looplab_deps := ok"
        echo "looplab_asked := ${PYTHON:-}"
        echo "looplab_python := $(find_python pytest)"
        echo "looplab_tools := $(working dev_tools) $(working slide_tools)"
        echo "looplab_cores := $(getconf _NPROCESSORS_ONLN 2> /dev/null || echo 1)"
    } > "$1.$$" && mv "$1.$$" "$1"      # others may be at it
}

real() {
    if [ -n "$(missing real_tools)" ]; then
        install_all real_tools
        rm -f build/deps.mk     # make then looks again
    fi
    mkdir -p "$(dirname "$1")" && echo ok > "$1"
}

# ---- The contributors' tools ----------------------------------------------------------------------

# On an aarch64 machine the cross tools are of no use.
unneeded() {
    case $(uname -m)/$1 in aarch64/cross-* | aarch64/qemu | arm64/cross-* | arm64/qemu) return 0 ;; esac
    return 1
}

# clang's sanitizers have a package that follows clang's version; older releases know only numbered ones.
clang_sanitizer_packages() {
    version=$(clang -dumpversion 2> /dev/null | cut -d. -f1)
    for package in libclang-rt-dev "libclang-rt-$version-dev" "libclang-common-$version-dev"; do
        apt-cache show "$package" > /dev/null 2>&1 && echo "$package" && return
    done
    echo libclang-rt-dev
}

# Libraries for another architecture: Debian's mirrors have them beside its own; Ubuntu's have not, and then
# the architecture is taken out again, as it would break every later update.
install_cross_libs() {
    if ! dpkg --print-foreign-architectures | grep -q arm64; then
        root dpkg --add-architecture arm64
        if ! refresh; then
            root dpkg --remove-architecture arm64
            refresh
            return 1
        fi
    fi
    install_packages "$@"
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

install_dev_tool() {
    wanted=$(packages dev_tools "$1")
    [ "$manager/$1" != apt-get/clang-sanitizers ] || wanted=$(clang_sanitizer_packages)
    [ -n "$wanted" ] || return 1
    echo "deps: installing $wanted (with $manager, log in $log)"
    # shellcheck disable=SC2086
    case $manager/$1 in
    apt-get/cross-libs) install_cross_libs $wanted ;;
    apt-get/nginx) install_unstarted $wanted ;;
    *) install_packages $wanted ;;
    esac
}

# Each tool on its own: one that cannot be had does not keep the others away.
dev() {
    install_student
    find_manager
    mkdir -p build && : >> "$log"
    without=
    for tool in $(missing dev_tools); do
        unneeded "$tool" && continue
        check "$tool" > /dev/null && continue      # it came with one before
        [ -n "$manager" ] && find_root && install_dev_tool "$tool"
        check "$tool" > /dev/null && continue
        echo "deps: without $tool ($(field dev_tools "$tool" 2)): could not be installed; tests that need it are skipped" >&2
        without="$without $tool"
    done
    (slides) || without="$without slides"
    [ -n "$without" ] || echo "deps: the contributors' tools are all there"
    rm -f build/deps.mk     # make then looks again
}

# What the runtime is compared with: each on its own, and none of it is needed.
peers() {
    find_manager
    mkdir -p build && : >> "$log"
    for tool in $(missing peer_tools); do
        wanted=$(packages peer_tools "$tool")
        if [ -n "$manager" ] && [ -n "$wanted" ] && find_root; then
            echo "deps: installing $wanted (with $manager, log in $log)"
            # shellcheck disable=SC2086
            install_packages $wanted
        fi
        check "$tool" > /dev/null ||
            echo "deps: without $tool ($(field peer_tools "$tool" 2)): could not be installed, so it is not compared" >&2
    done
}

# Without any of these there are no slides; nothing else needs them.
slides() {
    find_manager
    mkdir -p build && : >> "$log"
    for tool in $(missing slide_tools); do
        wanted=$(packages slide_tools "$tool")
        if [ -n "$manager" ] && [ -n "$wanted" ] && find_root; then
            echo "deps: installing $wanted (with $manager, log in $log)"
            # shellcheck disable=SC2086
            install_packages $wanted
        fi
        check "$tool" > /dev/null || fail "the slides need $tool ($(field slide_tools "$tool" 2)); package: ${wanted:-none here}"
    done
}

# ---- Telling --------------------------------------------------------------------------------------

report() {
    "$1" | while IFS='|' read -r name why _; do
        name=$(echo "$name" | tr -d ' ')
        why=$(echo "$why" | sed 's/^ *//; s/ *$//')
        if version=$(check "$name"); then
            printf '  %-16s %s\n' "$name" "$version"
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
install) install "${2:?the file for make}" ;;
real) real "${2:?the file for make}" ;;
dev) dev ;;
peers) peers ;;
slides) slides ;;
doctor) doctor ;;
*) echo "usage: deps.sh install FILE | real FILE | dev | peers | slides | doctor" >&2 && exit 2 ;;
esac
