# room.mk - can build/ be written to? Where not, make ends here, in one line: where it would grade with exit code 3, as
# the grader cannot do its work, else with 2.

without_room := $(if $(filter grade demo compare report watch progress hint,$(builds)),3,2)
ifneq ($(wildcard build/kit/make_exit.so),)
-load build/kit/make_exit.so
else ifneq ($(shell mkdir -p build/kit 2> /dev/null && [ -w build ] && echo ok),ok)
# Make's own words end with 2: what knows others is made in the folder of temporary files.
borrowed := $(shell folder=$$(mktemp -d) && $(CC) -std=gnu11 -shared -fPIC grader/scripts/make_exit.c \
    -o "$$folder/make_exit.so" && echo "$$folder/make_exit.so")
-load $(borrowed)
$(if $(borrowed),$(shell rm -r '$(dir $(borrowed))'))
$(need-room build,$(without_room))
$(error no room for build/ here: say where to build, as in: make demo BUILD="$$HOME/looplab")
endif
$(need-room build,$(without_room))
