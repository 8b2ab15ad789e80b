#!/bin/sh
printf 'looplab_deps := ok\nlooplab_asked := %s\nlooplab_python := /usr/bin/python3\nlooplab_cores := 2\n' "$PYTHON" > "$2"
