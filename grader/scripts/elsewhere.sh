#!/bin/sh
# elsewhere.sh - lets a checkout that cannot be written to be built in another folder: what BUILD=DIR does.
#
#     elsewhere.sh links              puts links to all that stands in this checkout into $BUILD; says ok, or what is
#                                     wrong with that folder
#     elsewhere.sh make MAKE GOAL...  runs make there, for these goals; ends with its code
#
# What the links lead to is never written to: all that is made goes to $BUILD/build.

set -u
export LC_ALL=C

refuse() {
    echo "BUILD=$BUILD: $*"
    exit 1
}

links() {
    case $BUILD in *[[:space:]\'\"\\\$\#%:\;=~\*\?\[\]\&\|\<\>\(\)\`]*)
        refuse "say a folder whose name has no blanks, quotes and signs in it" ;; esac
    here=$(pwd -P)
    said=$(mkdir -p "$BUILD" 2>&1) || refuse "this folder cannot be made (${said##*: })"
    there=$(cd "$BUILD" && pwd -P) || refuse "cannot go there"
    [ -w "$there" ] || refuse "this folder cannot be written to"
    for entry in "$there"/*; do
        [ ! -L "$entry" ] || [ -e "$entry" ] || rm -f "$entry"      # what the checkout no longer holds
    done
    for entry in "$here"/*; do
        case $there in "$entry" | "$entry"/*) continue ;; esac
        [ "$entry" != "$here/build" ] || continue
        [ "$there/${entry##*/}" -ef "$entry" ] || ln -s "$entry" "$there/" 2> /dev/null ||
            refuse "${entry##*/} is in the way there: say an empty folder, or one that is not there yet"
    done
    echo ok
}

# What is said as ../NAME is meant from here.
hand_on() {
    for name in FROM WORLD TRACE TAPE OUT JSON NAME; do
        eval "value=\${$name:-}"
        # shellcheck disable=SC2154 # set by eval
        case $value in .. | ../*) set -- "$@" "$name=$(printf '%s\n' "$PWD/$value" | sed 's/\$/$$/g')" ;; esac
    done
    unset MAKELEVEL     # it is the first make there: it shares out the cores
    "$@" -C "$BUILD" BUILD=
}

case ${1:-} in
links) links ;;
make) shift && hand_on "$@" ;;
*) echo "usage: elsewhere.sh links | make MAKE GOAL..." >&2 && exit 2 ;;
esac
