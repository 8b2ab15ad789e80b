# The front door: every task is a target. `make` alone lists them.
#
# What to build (libraries, lab mains, tests) comes from the folders: a new file or a new lab needs no
# line here. Reading this file starts no process, and a build with nothing to do costs a few stat calls.

ifeq ($(filter 4.2% 4.3% 4.4% 4.5% 5.%,$(MAKE_VERSION)),)
$(error GNU make 4.2 or later is needed, this is $(MAKE_VERSION); on a Mac: brew install make, then say gmake)
endif

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
SHELL := /bin/sh
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: again      # what depends on it is made again

# May be several words: CC="ccache gcc".
ifeq ($(filter-out default undefined,$(origin CC)),)
CC := gcc
else ifeq ($(strip $(CC)),)
override CC := gcc
endif
AR := ar

# What the user says reaches the scripts through the environment: blanks and quotes in it do no harm.
export LAB EXAMPLE FROM OUT SEED MODE WORLD TRACE TAPE \
        SET REAL RUNS URLS DEPTH SAME TRIALS JSON CHECK FORMAT DECK TODO LEVEL NAME TEST FAULT ROSTER JOBS TIER KIND \
        COURSE FORMATS GRADEBOOK SHARD JOIN ENGINE SHARDS HOSTS NAMES RECORD CC BUILD

# By another name: to some shells RANDOM is a word of their own.
export LOOPLAB_RANDOM := $(RANDOM)
# Compilers and linkers get huge pages where Linux gives them (grader/looplab/running/process.py says why).
build/%: export GLIBC_TUNABLES = $\
    glibc.malloc.hugetlb=1:glibc.malloc.top_pad=16000000:glibc.malloc.mmap_threshold=64000000

# V=1 shows the commands.
say := $(if $(V),,@)

# ---- Where to build -----------------------------------------------------------------------------
# In build/. With BUILD=DIR in DIR/build: then make only hands its words on to a make that works in DIR, where links to
# all of this checkout stand. Where nothing can be written to, that is what is said, and how to help it.

exits := grade demo run explore serve compare report watch hint warmups progress start class handout similar course \
         convert autograder new-lab check-lab
builds := $(filter-out help doctor clean,$(MAKECMDGOALS))
make-extension = @mkdir -p $(@D) && { $(CC) -std=gnu11 -O2 -Wall -Wextra -shared -fPIC $< -o $@.$$PPID 2> $@.log || \
    : > $@.$$PPID; } && mv $@.$$PPID $@

ifneq ($(and $(filter-out $(CURDIR) $(CURDIR)/build,$(abspath $(BUILD))),$(filter-out help,$(MAKECMDGOALS))),)
include grader/scripts/elsewhere.mk
else
ifneq ($(builds),)
include grader/scripts/room.mk
endif

# ---- What must be installed -------------------------------------------------------------------
# build/deps.mk says what was found: the Python that has pytest, the contributors' tools, the number of cores. It is
# made again when deps.sh changes, when PYTHON asks for another one, at the first `make test`, and after `make clean`;
# else nothing is checked.

asked_python := $(PYTHON)
asked_tests := $(filter tests,$(MAKECMDGOALS:test=tests))
ifneq ($(filter-out deps-dev,$(builds)),)
include build/deps.mk
ifeq ($(looplab_deps),failed)
$(shell rm -f build/deps.mk)
$(error $(file <build/deps.failed))
endif
blank := $(subst ,, )
ifneq ($(looplab_asked),$(asked_python))
build/deps.mk: again
else ifeq ($(MAKE_RESTARTS)$(wildcard $(subst $(blank),\$(blank),$(looplab_python))),)
build/deps.mk: again    # that Python is gone: a virtual environment, say
endif
ifneq ($(or $(asked_tests),$(looplab_for)),$(looplab_for))
build/deps.mk: again
endif
override PYTHON := $(looplab_python)
endif

build/deps.mk: grader/scripts/deps.sh
	@mkdir -p $(@D)
	@PYTHON='$(asked_python)' sh $< install $@ $(asked_tests) 2> build/deps.failed || echo 'looplab_deps := failed' > $@

# All cores build, unless somebody else's make has already shared them out. One goal after the other, though, where
# the first one clears the ground for the next, or may end the whole.
ifneq ($(filter clean,$(MAKECMDGOALS))$(word 2,$(filter $(exits),$(MAKECMDGOALS))),)
.NOTPARALLEL:
else ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(or $(looplab_cores),1)
endif

# ---- What make has no words for -----------------------------------------------------------------
# `make grade` promises the grader's own exit code (0 1 2 3), but GNU make makes a 2 of every failed recipe. So the
# recipe only notes its code, and a small extension of make (its `load` directive) leaves make with that code once the
# recipe is over, without make's "*** Error" line. Where make cannot load extensions, the code is make's 2.
#
# The extension does two more things that make has no words for: of two makes in one checkout one builds at a time (from
# here on until $(build-is-done)), and what ends make ends all that it has started.

ifneq ($(and $(filter load,$(.FEATURES)),$(looplab_deps)),)
-load build/kit/make_exit.so
builds-nothing := hint warmups progress handout similar course new-lab deps
ifneq ($(and $(if $(looplab_within),,$(MAKECMDGOALS)),$(filter-out $(builds-nothing),$(MAKECMDGOALS))),)
$(build-alone Makefile)
endif
endif
build/kit/make_exit.so: grader/scripts/make_exit.c
	$(make-extension)

build-is-done = $(build-over now)
note_exit := echo $$? > build/exit.$$PPID
ifeq ($(filter build/kit/make_exit.so,$(.LOADED)),)
note_exit := exit $$?
endif

# ---- What to build ----------------------------------------------------------------------------

# one program runs all warm-ups: it loads the one that it is told of
warmups := $(patsubst labs/%/main.c,%,$(wildcard labs/00-*/main.c))
LABS := $(filter-out $(warmups),$(patsubst labs/%/main.c,%,$(wildcard labs/*/main.c)))
# there students write tests: no program by itself
suites := $(notdir $(patsubst %/,%,$(dir $(wildcard labs/*/test_*.c))))

kit_folders := $(addprefix sim/,runtime protocol world/sql world/virtual world/remote trace explore kit)
kit_sources := $(filter-out sim/explore/search/%,\
        $(sort $(wildcard $(foreach d,$(kit_folders),$d/*.c $d/*/*.c $d/*.S $d/*/*.S))))
explore_sources := $(sort $(wildcard sim/explore/search/*.c))
test_sources := $(wildcard sim/tests/*.c sim/tests/fuzz/*.c sim/tests/real/*.c sim/tests/judge/*.c)
tests := $(patsubst sim/tests/%.c,%,$(filter sim/tests/test_%,$(test_sources)))
bench_sources := $(wildcard sim/bench/*.c)
examples := $(wildcard sim/examples/*.c)
lab_sources := $(wildcard labs/*/*.c labs/*/*/*.c solutions/*/*.c)
includes := -Isim/include -Isim -Isim/world $(patsubst %,-I%,$(filter-out sim/runtime,$(kit_folders)))

# Tail calls stay calls, so that a return address names the line that called. No path of this machine
# gets into an object: two clones in two folders build the same bytes. (Here and below the shell says where we are, not
# make: then quotes, blanks and what else a folder's name may hold mean nothing.)
CFLAGS := -std=gnu11 -g -Wall -Wextra -fno-optimize-sibling-calls -fno-omit-frame-pointer \
          -U_FORTIFY_SOURCE
here := -ffile-prefix-map="$$PWD"=.

# The variants of the kit. NAME has NAME_flags, and perhaps NAME_cc and NAME_needs, the tools of deps.sh without which
# it is left out. Its objects are in build/obj/NAME, its library is build/kit/libco-NAME.a (the plain one: libco.a),
# its tests are in build/tests/NAME, the reference solutions linked with it in build/solutions/NAME. Grading
# needs the first two; the others are for `make test`, and there a warning is an error: a student with a newer compiler
# than ours must still be able to build. (What was said of a file of these two stands beside its object, in NAME.o.said;
# a test reads it.)
# NAME_own are the sources that are its own, where all others are NAME_shares' objects. NAME_tests are the C tests that
# run in it each time, where that is not all of them.
variants := plain asan ucontext gcc-O0 gcc-O3 tsan clang clang-O0 clang-O3 clang-asan aarch64
plain_flags := -O3 -fomit-frame-pointer
# In the runtime and in the virtual world no call is anybody's place: a wait ends with a jump to the switch (ready.c),
# and what a call only hands on needs no frame. (Each line of a task's stack that is touched is a miss: all stacks
# begin at the same place of a page.)
runtime_flags := -foptimize-sibling-calls
build/obj/plain/sim/runtime/%.o build/obj/plain/sim/world/virtual/%.o: plain_flags += $(runtime_flags)
# Sanitizers name functions and lines: of the rest of -g nobody asks there.
asan_flags := -O1 -g1 -fsanitize=address,undefined
# Where a test is linked with what students are graded with, it is the library that is tried, not the test's own code.
test_flags := -O0 -g1 -Werror
build/obj/plain/sim/tests/%.o: plain_flags += $(test_flags)
build/obj/asan/sim/tests/%.o: asan_flags += $(test_flags)
ucontext_flags := -O2 -DCO_UCONTEXT -Werror
ucontext_shares := plain
ucontext_own := sim/runtime/switch/% sim/runtime/tasks/task.c
gcc-O0_flags := -O0 -Werror
gcc-O3_flags := -O3 -Werror
# TSan's own code makes gcc see variables without a value where there are none.
tsan_flags := -O0 -g1 -fsanitize=thread -Werror -Wno-maybe-uninitialized
tsan_needs := tsan
# In the simulated world all but these is one thread. (The real world's own tests run in it, too.)
tsan_tests := test_blocking test_context test_file test_stack
clang_cc := clang
clang_flags := -O2 -Werror
clang_needs := clang
clang-O0_cc := clang
clang-O0_flags := -O0 -Werror
clang-O0_needs := clang
clang-O3_cc := clang
clang-O3_flags := -O3 -Werror
clang-O3_needs := clang
clang-asan_cc := clang
clang-asan_flags := $(asan_flags) -Werror
clang-asan_needs := clang-sanitizers
aarch64_cc := aarch64-linux-gnu-gcc
aarch64_flags := -O2 -Werror
aarch64_needs := cross-cc cross-libs qemu

# With what searches orders (sim/explore/search), for `make explore`: no test but its own runs in it.
explore_flags := -O2 -DCO_EXPLORE
explore_more = $(explore_sources)
# There <link.h> is the system's.
build/obj/explore/sim/explore/search/%.o: includes := -Isim/include -Isim -Isim/world
build/kit/%/main-explore.o: explore_flags += @sim/explore/search/step.flags

# These only with ALL=1: another one stands for what each of them would show.
seldom := gcc-O0 gcc-O3 clang-O0 clang-O3 clang-asan aarch64
have := $(foreach v,$(filter-out $(if $(ALL),,$(seldom)),$(variants)),\
        $(if $(filter-out $(looplab_tools),$($v_needs)),,$v))
# The C tests run in these, a solution in all there are; with ALL=1 the tests, too, and under valgrind.
tested := $(filter $(if $(ALL),%,plain asan ucontext tsan),$(have))
tests_of = $(or $(if $(ALL),,$($1_tests)),$(tests) fuzz/interpreter)

dash = $(if $(filter-out plain,$1),-$1)
compile = $(say)$(or $($1_cc),$(CC)) $(CFLAGS) $(here) $($1_flags) $2 -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@
# The same; what the compiler says is kept, too.
compile-and-note = $(compile) 2> $@.said || { cat $@.said >&2; exit 1; }; [ ! -s $@.said ] || cat $@.said >&2
# Whose object of a source a variant takes.
whose = $(if $(filter $($1_own),$2),$1,$(or $($1_shares),$1))
objects = $(foreach s,$2,build/obj/$(call whose,$1,$s)/$s.o)
# What a grading reads or runs is put in its place whole: another make may be building while it goes on.
compile-whole = $(compile).new && mv $@.new $@

# $(call remember,NAME,VARIABLE): build/kit/NAME.txt holds the variable's text and is written only when that has
# changed, so what depends on it is built again when a flag changes, or when a source goes away. (The newline at its end
# is no change: where its buffer moves, GNU make 4.3 leaves it in what it reads, and all would be built again.)
define remember
ifneq ($$(subst <$$(strip $$(file <build/kit/$1.txt))>,,<$$(strip $$($2))>),)
build/kit/$1.txt: again
endif
build/kit/$1.txt:
	@$$(shell mkdir -p build/kit)$$(file >$$@,$$($2))
endef
$(eval $(call remember,sources,kit_sources))
files := $(explore_sources) $(wildcard sim/world/serve/*.c sim/judge/*.c) $(test_sources) $(bench_sources) $(examples) \
        $(lab_sources)
flags := $(CC) $(CFLAGS) $(includes) $(runtime_flags) $(test_flags) \
         $(foreach v,$(variants) explore,$v: $($v_cc) $($v_flags))
$(eval $(call remember,files,files))
$(eval $(call remember,flags,flags))

# The judge is a program of its own; what it is made of is a library, for its tests.
judge_sources := $(sort $(wildcard sim/judge/*.c))
judge_tests := $(patsubst sim/tests/judge/%.c,%,$(wildcard sim/tests/judge/*.c))
judge_tested := $(filter plain asan,$(tested))
$(eval $(call remember,judge-sources,judge_sources))

# $(call rooms,FOLDER,ROOM...): build/FOLDER/rooms is made together with these folders in it: one process, not one a
# file.
define rooms
build/$1/rooms: build/kit/rooms.txt
	@mkdir -p $(addprefix build/$1/,$2) && touch $$@
endef
obj_rooms := $(sort $(dir $(filter sim/%,$(kit_sources) $(files))) sim/world/real/)
$(eval $(call remember,rooms,obj_rooms))

# The real world is a library of its own, as it needs libuv and libcurl, which grading does not.
real_sources := $(sort $(wildcard sim/world/real/*.c))
real_tests := $(patsubst sim/tests/real/%.c,%,$(wildcard sim/tests/real/*.c))
real_tested := $(if $(filter libuv,$(looplab_tools)),\
        $(if $(filter libcurl,$(looplab_tools)),$(filter plain asan tsan,$(tested))))
$(eval $(call remember,real-sources,real_sources))
build/kit/real.ok: grader/scripts/deps.sh
	@sh $< real $@

define variant
$(real_sources:%=build/obj/$1/%.o): | build/kit/real.ok
build/kit/libco-real$(call dash,$1).a: $(real_sources:%=build/obj/$1/%.o) build/kit/real-sources.txt
	$$(say)rm -f $$@.new && $$(AR) qcsD $$@.new $$(filter %.o,$$^) && mv $$@.new $$@
	@echo "built $$@"

$(call rooms,obj/$1,$(obj_rooms))
$(call rooms,tests/$1,fuzz real judge)

build/kit/libjudge$(call dash,$1).a: $(judge_sources:%=build/obj/$1/%.o) build/kit/judge-sources.txt
	$$(say)rm -f $$@.new && $$(AR) qcsD $$@.new $$(filter %.o,$$^) && mv $$@.new $$@
	@echo "built $$@"

build/kit/judge$(call dash,$1): build/obj/$1/sim/judge/main.c.o build/kit/libjudge$(call dash,$1).a \
        build/kit/libco$(call dash,$1).a
	$$(say)$$(or $$($1_cc),$$(CC)) $$($1_flags) $$^ -ljansson -lm -lpthread -o $$@.new && mv $$@.new $$@

build/tests/$1/judge/%: build/obj/$1/sim/tests/judge/%.c.o build/kit/libjudge$(call dash,$1).a \
        build/kit/libco$(call dash,$1).a sim/kit/link.flags | build/tests/$1/rooms
	$$(say)$$(or $$($1_cc),$$(CC)) $$($1_flags) $$(filter %.o,$$^) $$(filter %.a,$$^) -lcmocka \
	    @sim/kit/link.flags -o $$@

build/tests/$1/real/%: build/obj/$1/sim/tests/real/%.c.o build/kit/libco-real$(call dash,$1).a \
        build/kit/libco$(call dash,$1).a sim/kit/link.flags sim/kit/real.flags | build/tests/$1/rooms
	$$(say)$$(or $$($1_cc),$$(CC)) $$($1_flags) $$(filter %.o,$$^) $$(filter %.a,$$^) -lcmocka \
	    @sim/kit/link.flags @sim/kit/real.flags -o $$@

build/obj/$1/%.o: % build/kit/flags.txt | build/obj/$1/rooms
	$$(call compile-and-note,$1,$$(includes))

build/kit/libco$(call dash,$1).a: $(call objects,$1,$(kit_sources) $($1_more)) build/kit/sources.txt
	$$(say)rm -f $$@.new && $$(AR) qcsD $$@.new $$(filter %.o,$$^) && mv $$@.new $$@
	@echo "built $$@"

build/kit/%/main$(call dash,$1).o: labs/%/main.c build/kit/flags.txt
	@mkdir -p $$(@D)
	$$(call compile-whole,$1,-Isim/include -Ilabs/$$*)

build/tests/$1/%: build/obj/$(or $($1_shares),$1)/sim/tests/%.c.o build/kit/libco$(call dash,$1).a sim/kit/link.flags \
        | build/tests/$1/rooms
	$$(say)$$(or $$($1_cc),$$(CC)) $$($1_flags) $$< build/kit/libco$(call dash,$1).a -lcmocka @sim/kit/link.flags -o $$@

build/solutions/$1/%.o: solutions/%.c sim/kit/student.flags build/kit/flags.txt
	@mkdir -p $$(@D)
	$$(say)$$(or $$($1_cc),$$(CC)) @sim/kit/student.flags $$($1_flags) -Isim/include -Ilabs/$$(*D) -MMD -MP -c $$< -o $$@

build/solutions/$1/%/program: build/kit/%/main$(call dash,$(or $($1_shares),$1)).o build/kit/libco$(call dash,$1).a \
        sim/kit/link.flags
	@mkdir -p $$(@D)
	$$(say)$$(or $$($1_cc),$$(CC)) $$($1_flags) $$(filter %.o,$$^) $$(filter %.a,$$^) @sim/kit/link.flags -o $$@
endef
# $(call solution,VARIANT,LAB): a solution's program also needs the lab's own C files, compiled.
define solution
build/solutions/$1/$2/program: $(patsubst solutions/%.c,build/solutions/$(or $($1_shares),$1)/%.o,\
        $(wildcard solutions/$2/*.c))
endef
$(foreach v,$(variants) explore,$(eval $(call variant,$v)))
$(foreach v,$(variants),$(foreach l,$(LABS),$(eval $(call solution,$v,$l))))

# A world file served for real: the virtual world behind libuv's sockets.
serve_sources := $(sort $(wildcard sim/world/serve/*.c))
$(serve_sources:%=build/obj/plain/%.o): | build/kit/real.ok
build/kit/serve: $(serve_sources:%=build/obj/plain/%.o) build/kit/libco.a
	$(say)$(CC) $(plain_flags) $^ -luv -ljansson -lm -lpthread -o $@.new && mv $@.new $@

build/kit/launch: grader/launcher/launch.c build/kit/flags.txt
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(here) $(plain_flags) -Isim -MMD -MP -MF $@.d -MT $@ $< -o $@.new && mv $@.new $@

# Without link.flags: the benchmarks' clocks are the machine's own.
build/bench/bench: $(bench_sources:%=build/obj/plain/%.o) build/kit/libco.a
	@mkdir -p $(@D)
	$(say)$(CC) $(plain_flags) $^ -ljansson -lm -lpthread -o $@

-include $(wildcard build/obj/*/sim/*/*.d build/obj/*/sim/*/*/*.d build/kit/*.d build/kit/*/*.d build/solutions/*/*/*.d)

# For editors: how each file is compiled. In JSON a quote and a backslash have a backslash before them.
json = $(subst ",\",$(subst \,\\,$1))
top := $(call json,$(CURDIR))
cc := $(call json,$(CC))
define command
  {"directory": "$(top)", "file": "$1", "command": "$(cc) $(CFLAGS) $2 -c $1"}
endef
define example
  {"directory": "$(top)", "file": "$1", "command": "$(cc) @sim/kit/student.flags -Isim/include -c $1"}
endef
define student
  {"directory": "$(top)", "file": "$1", "command": "$(cc) @sim/kit/student.flags -Isim/include -Ilabs/$2 $(addprefix -include ,$(wildcard labs/$2/$(notdir $(1:.c=.h)))) -c $1"}
endef
build/compile_commands.json: build/kit/sources.txt build/kit/files.txt build/kit/flags.txt
	$(file >$@,[)
	$(foreach f,$(filter %.c,$(kit_sources)) $(real_sources) $(serve_sources) $(judge_sources) $(test_sources) \
	    $(bench_sources),$(file >>$@,$(call command,$f,$(includes)),))
	$(foreach f,$(explore_sources),$(file >>$@,$(call command,$f,-DCO_EXPLORE -Isim/include -Isim -Isim/world),))
	$(foreach f,$(wildcard sim/tests/explore/*.c),$(file >>$@,$(call example,$f),))
	$(foreach f,$(examples),$(file >>$@,$(call example,$f),))
	$(foreach l,$(LABS),$(file >>$@,$(call command,labs/$l/main.c,-Isim/include -Ilabs/$l),))
	$(foreach l,$(LABS) $(warmups),$(foreach f,$(filter-out %/main.c,$(filter labs/$l/% solutions/$l/%,\
	    $(lab_sources))),$(file >>$@,$(call student,$f,$l),)))
	$(foreach l,$(warmups),$(file >>$@,$(call command,labs/$l/main.c,-Isim/include -Isim -Ilabs/$l),))
	$(file >>$@,$(call command,grader/launcher/launch.c,-Isim))
	$(file >>$@,])

# The reference solution of each lab that has one, as a program: the yardstick in a world whose numbers no
# formula tells. One that does not compile is told of and left out: it must not keep anybody from grading another lab.
define reference
build/kit/$1/reference: $(wildcard solutions/$1/*.c labs/$1/*.h) build/kit/$1/main.o build/kit/libco.a \
            sim/kit/student.flags \
                        sim/kit/link.flags build/kit/flags.txt
	$$(say)$$(CC) @sim/kit/student.flags -O1 -Isim/include -Ilabs/$1 $$(filter %.c %.o %.a,$$^) \
	    @sim/kit/link.flags -o $$@.new && \
	    mv $$@.new $$@ || { rm -f $$@; echo 'solutions/$1 does not compile: see above' >&2; }
endef
$(foreach l,$(LABS),$(eval $(call reference,$l)))

$(warmups:%=build/kit/%/program): build/kit/%/program: labs/%/main.c build/kit/libco.a sim/kit/link.flags \
        build/kit/flags.txt
	@mkdir -p $(@D)
	$(say)$(CC) $(CFLAGS) $(here) $(plain_flags) -Isim/include -Isim -Ilabs/$* -MMD -MP -MF $@.d -MT $@ $< \
	    -rdynamic -Wl,--whole-archive build/kit/libco.a -Wl,--no-whole-archive @sim/kit/link.flags -ldl -o $@.new && \
	    mv $@.new $@

# What is needed to grade and to run: of the labs, only the one that is asked for.
asked = $(if $(filter $(exits),$(MAKECMDGOALS)),$(filter $(LAB) $(LAB)-% 0$(LAB)-%,$1))
asked_labs := $(if $(call asked,$(warmups)),,$(or $(call asked,$(LABS)),$(LABS)))
references := $(foreach l,$(filter-out $(suites),$(asked_labs)),\
        $(if $(wildcard solutions/$l/*.c),build/kit/$l/reference))
# What suites are linked with: many scrapers, in several builds each (grader/looplab/grading/scrapers.py).
build/kit/%/scrapers.txt: build/kit/flags.txt
	$(say)$(looplab) -m looplab.grading.scrapers $* && touch $@
	@echo 'built the scrapers of labs/$*'
$(foreach l,$(suites),$(eval build/kit/$l/scrapers.txt: \
        $(wildcard grader/hidden/$l/scrapers/* labs/$l/*.[ch] labs/$l/*/*.c sim/include/co.h)))
# What a student's file may share with the rest of the program, by name.
build/kit/%/names.txt: $(wildcard labs/*/*.h sim/include/*.h) grader/looplab/running/gate.py
	@mkdir -p $(@D)
	$(say)$(looplab) -m looplab.running.gate $*
tested_ones := $(patsubst %,build/kit/%/scrapers.txt,$(filter $(suites),$(asked_labs)))
kit := build/kit/libco.a build/kit/libco-asan.a \
       $(patsubst grader/launcher/%.c,build/kit/%,$(wildcard grader/launcher/launch.c)) \
       $(foreach v,plain asan,$(asked_labs:%=build/kit/%/main$(call dash,$v).o)) \
       $(asked_labs:%=build/kit/%/names.txt) \
       $(if $(call asked,$(LABS)),,$(warmups:%=build/kit/%/program)) \
       $(references) $(tested_ones) build/compile_commands.json build/kit/judge
test_programs := $(foreach v,$(tested),$(addprefix build/tests/$v/,$(call tests_of,$v))) \
       $(foreach v,$(filter-out $(if $(ALL),,tsan),$(have)),$(patsubst %,build/solutions/$v/%/program,\
           $(if $(ALL),$(filter-out $(suites),$(LABS)),01-sync-vs-async))) \
       build/kit/04-worker-queue/main-explore.o build/tests/explore/cases \
       $(if $(filter clang,$(looplab_tools)),build/tests/explore/cases-clang) \
       $(foreach v,$(judge_tested),$(judge_tests:%=build/tests/$v/judge/%)) \
       $(foreach v,$(real_tested),$(real_tests:%=build/tests/$v/real/%))

# ---- Targets ----------------------------------------------------------------------------------

# isolated.py: nothing but the house, whatever the environment says. Its codes from 64 on are the program's own, for
# sure; another one but a signal's is Python's, which has failed by itself.
looplab := '$(PYTHON)' -I -X pycache_prefix="$$PWD/build/pycache" grader/scripts/isolated.py
looplab-command = $(build-is-done)$(looplab) --sure -m looplab
own-code := code=$$?; case $$code in 6[4-7]) code=$$((code - 64)) ;; 129|13[01]|14[13]) ;; \
    *) echo "looplab: Python failed by itself (exit code $$code): $(PYTHON). Say make clean, then the same again:" \
    "make looks for a Python anew" >&2; code=3 ;; esac; (exit $$code); $(note_exit)
formats = $${FORMATS:+--format "$$FORMATS"}
grade = $(looplab-command) grade $${LAB:+--lab "$$LAB"} $${SEED:+--seed "$$SEED"} $${TIER:+--require-tier "$$TIER"}

.PHONY: help grade demo run serve compare report watch hint warmups progress start class handout similar course \
        convert autograder new-lab check-lab test bench slides page doctor deps deps-dev clean try-node \
        try-cluster
.PHONY: $(exits:%=run-%)

help:
	@echo 'make TARGET, where TARGET is one of'
	@awk -F ' *## *' '/^[a-z-]+:.*##/ { split($$1, t, ":"); printf "  %-10s %s\n", t[1], $$2 }' Makefile
	@echo 'With each of them, BUILD=DIR builds in DIR, for a checkout that cannot be written to.'

grade: run-grade  ## grade labs: [LAB=01] [FROM=DIR] [OUT=DIR] [SEED=N] [TIER=A] [FORMATS="junit gradescope"]
demo: run-demo    ## grade the reference solutions: what success looks like
run: run-run      ## run a lab: LAB=01 [FROM=DIR] [MODE=M] [WORLD=F | REAL=1] [SET="a=1"] [URLS="..."] [TRACE=f]; or EXAMPLE=17
explore: run-explore  ## a lab in all orders: LAB=04 [FROM=DIR] [MODE=M] [WORLD=F] [SET="a=1"] [DEPTH=20000 | TRIALS=1]
serve: run-serve  ## a world file as real servers on this machine: WORLD=f.json [LAB=03]
compare: run-compare  ## a lab in its virtual world and in that world served for real: LAB=03 [WORLD=f]; EXAMPLE=24; RANDOM=200
report: run-report  ## draw a run: LAB=01 [FROM=DIR] [CHECK=ID | MODE= WORLD= SET= URLS=] [FORMAT=html|text|svg|chrome] [OUT=F]
watch: run-watch  ## grade on every save: [LAB=03] [FROM=DIR]; keys: hint, list, report, all, next lab, back, go to, reset, quit
hint: run-hint    ## tell the next hint: LAB=03 [TODO=2] [LEVEL=2]
warmups: run-warmups  ## the warm-ups, with a tick at those that are done (make watch LAB=00)
progress: run-progress  ## all labs at a glance
start: run-start  ## a clean copy of the labs to work in, with its own git history: NAME=../my-labs
handout: run-handout  ## lay out what students get: OUT=DIR [KIND=folder|git|zip] [LAB=01,02 | COURSE=course.toml]
class: run-class  ## grade a class: FROM=DIR [OUT=DIR ROSTER=F COURSE=F GRADEBOOK=F LAB=03 JOBS=2 SHARD=2/7 JOIN=DIR ENGINE=E]
course: run-course  ## check a course file, and show it: [COURSE=course.toml]
similar: run-similar  ## pairs that are alike, side by side: FROM=submissions [LAB=03] [OUT=DIR]
convert: run-convert  ## results.json, there already, in other systems' formats: FORMATS="junit gradescope" [FROM=DIR]
autograder: run-autograder  ## a zip that grades a lab on Gradescope, or with KIND=prairielearn on PrairieLearn: LAB=02 [OUT=F]
new-lab: run-new-lab  ## lay out a lab of your own, that grades at once: NAME=09-chat (labs/AUTHORING.md)
check-lab: run-check-lab  ## hold a lab to what is asked of one: LAB=09 [RECORD=1: write the verdicts of its corpus]
$(exits):
	@$(exit-as-noted build/exit.)

run-grade: $(kit)
	@if [ "$$TIER" = A ] && ! sh grader/scripts/deps.sh sandbox; then (exit 66); else \
	    $(grade) $${FROM:+--from "$$FROM"} $${OUT:+--out "$$OUT"} $(formats); fi; $(own-code)
run-demo: $(kit)
	@$(grade) --from solutions --out "$${OUT:-build/demo}"; $(own-code)
run-serve: build/kit/serve
	@$(looplab-command) serve $${WORLD:+--world "$$WORLD"} $${LAB:+--lab "$$LAB"}; $(own-code)
run-compare: $(kit) build/kit/serve build/kit/libco-real.a $(if $(RANDOM),build/tests/plain/real/actor)
	@$(looplab-command) compare $${LAB:+--lab "$$LAB"} $${EXAMPLE:+--example "$$EXAMPLE"} $${FROM:+--from "$$FROM"} \
	    $${MODE:+--mode "$$MODE"} \
	    $${WORLD:+--world "$$WORLD"} $${LOOPLAB_RANDOM:+--random "$$LOOPLAB_RANDOM"} $${SEED:+--seed "$$SEED"} \
	    $${SET:+--set "$$SET"} $${RUNS:+--runs "$$RUNS"} $${OUT:+--out "$$OUT"}; $(own-code)
run-report: $(kit)
	@$(looplab-command) report $${LAB:+--lab "$$LAB"} $${FROM:+--from "$$FROM"} $${CHECK:+--check "$$CHECK"} \
	    $${MODE:+--mode "$$MODE"} \
	    $${WORLD:+--world "$$WORLD"} $${SET:+--set "$$SET"} $${URLS:+--urls "$$URLS"} $${SEED:+--seed "$$SEED"} \
	    $${FORMAT:+--format "$$FORMAT"} $${OUT:+--out "$$OUT"}; $(own-code)
run-run: $(kit) $(if $(REAL),build/kit/libco-real.a $(if $(EXAMPLE),build/kit/serve))
	@$(build-is-done)sh grader/scripts/run.sh; $(note_exit)

run-explore: $(kit) build/kit/libco-explore.a $(foreach l,$(asked_labs),build/kit/$l/main-explore.o)
	@$(build-is-done)EXPLORE=1 sh grader/scripts/run.sh; $(note_exit)

# The explorer's own test: small programs of which it is known how many classes of orders there are.
build/tests/explore/%: sim/tests/explore/cases.c build/kit/libco-explore.a sim/kit/student.flags sim/kit/link.flags \
        sim/explore/search/step.flags sim/explore/search/link.flags sim/explore/search/names.txt build/kit/flags.txt
	@mkdir -p $(@D)
	$(say)$(or $(patsubst cases-%,%,$(filter cases-%,$*)),$(CC)) @sim/kit/student.flags -O1 -Werror \
	    @sim/explore/search/step.flags $(if $(filter %-clang,$*),-fsanitize-coverage=no-prune) -Isim/include -c $< -o $@.o
	$(say)objcopy --redefine-syms=sim/explore/search/names.txt $@.o
	$(say)$(CC) $@.o -Wl,--whole-archive build/kit/libco-explore.a -Wl,--no-whole-archive @sim/kit/link.flags \
	    @sim/explore/search/link.flags -o $@

# Two for each core, as a third of the time nobody computes; each keeps to one (grader/tests/conftest.py).
workers := $(shell n=$$(( 2 * $$(nproc 2>/dev/null || echo 2) )); [ "$$n" -le 8 ] && echo "$$n" || echo 8)

test: $(if $(ALL),try-cluster)
test: $(kit) $(test_programs) $(if $(real_tested),build/kit/serve build/kit/libco-real.a)
test: $(if $(filter npm,$(looplab_tools)),$(if $(filter chromium,$(looplab_tools)),try-node))  ## all tests of the project itself [ALL=1: in every build, under valgrind, and whatever else is long]
	@$(build-is-done)env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
	    -u LAB -u EXAMPLE -u FROM -u OUT -u SEED -u MODE -u WORLD -u TRACE -u TAPE -u DEPTH -u SAME -u TRIALS \
	    -u SET -u REAL -u RUNS -u URLS -u JSON -u CHECK -u FORMAT -u DECK -u TODO -u LEVEL -u NAME -u TEST -u FAULT \
	    -u ROSTER -u JOBS -u TIER -u KIND -u COURSE -u FORMATS -u GRADEBOOK -u SHARD -u JOIN \
	    -u ENGINE -u SHARDS -u HOSTS -u NAMES -u RECORD \
	    -u LOOPLAB_RANDOM \
	    $(if $(ALL),LOOPLAB_ALL=1) $(looplab) -m pytest -q -rs --rootdir . -o cache_dir=build/pytest \
	    $(if $(filter xdist,$(looplab_tools)),-n $(workers) --dist loadgroup) grader/tests

bench: $(if $(ORDERS),build/kit/libco-explore.a build/kit/04-worker-queue/main-explore.o \
        build/kit/04-worker-queue/reference build/kit/04-worker-queue/names.txt)
bench: $(if $(REAL),build/kit/libco-real.a build/kit/libco.a build/kit/02-url-fetcher/main.o,build/bench/bench)  ## how fast it is: [JSON=f.json] [PEERS=1 | REAL=1: beside others] [ORDERS=1: make explore] [QUICK=1]
	@$(build-is-done)$(if $(PEERS),sh grader/scripts/deps.sh peers)
	@$(if $(ORDERS),$(looplab) grader/scripts/bench_orders.py $${JSON:+--json "$$JSON"}$(if $(QUICK), --orders 2000),)
	@$(if $(ORDERS),,$(if $(REAL),$(looplab) grader/scripts/bench_real.py $${JSON:+--json "$$JSON"}$\
	    $(if $(QUICK), --rounds 1 --requests 100),$\
	    $(looplab) grader/scripts/bench.py $${JSON:+--json "$$JSON"} $(if $(PEERS),--peers) $(if $(QUICK),--quick)))

run-watch: $(kit)
	@$(looplab-command) watch $${LAB:+--lab "$$LAB"} $${FROM:+--from "$$FROM"} $${SEED:+--seed "$$SEED"}; $(own-code)
run-class: $(kit)
	@if [ "$$ENGINE" = parallel ] && ! sh grader/scripts/deps.sh parallel; then (exit 66); \
	elif [ -n "$$FROM" ]; then $(looplab-command) class --from "$$FROM" $${OUT:+--out "$$OUT"} \
	    $${ROSTER:+--roster "$$ROSTER"} $${COURSE:+--course="$$COURSE"} $${GRADEBOOK:+--gradebook "$$GRADEBOOK"} \
	    $${LAB:+--lab "$$LAB"} $${JOBS:+--jobs "$$JOBS"} $${SEED:+--seed "$$SEED"} \
	    $${SHARD:+--shard="$$SHARD"} $${JOIN:+--join="$$JOIN"} $${ENGINE:+--engine="$$ENGINE"} \
	    $${SHARDS:+--shards="$$SHARDS"} $${HOSTS:+--hosts="$$HOSTS"} $${NAMES:+--names}; else \
	    echo 'say which submissions, as in: make class FROM=submissions' >&2; (exit 66); fi; $(own-code)
run-convert:
	@$(looplab-command) convert --format "$$FORMATS" $${FROM:+--from "$$FROM"}; $(own-code)
run-autograder:
	@if [ -n "$$LAB" ]; then $(looplab-command) autograder --lab "$$LAB" $${OUT:+--out "$$OUT"} \
	    $${KIND:+--kind "$$KIND"}; else \
	    echo 'say which lab, as in: make autograder LAB=02' >&2; (exit 66); fi; $(own-code)
run-hint:
	@$(looplab-command) hint $${LAB:+--lab "$$LAB"} $${TODO:+--todo "$$TODO"} $${LEVEL:+--level "$$LEVEL"} \
	    $${FROM:+--from "$$FROM"}; $(own-code)
run-progress:
	@$(looplab-command) progress $${OUT:+--out "$$OUT"}; $(own-code)
run-warmups:
	@$(looplab-command) warmups $${OUT:+--out "$$OUT"}; $(own-code)
run-start:
	@if [ -n "$$NAME" ]; then $(looplab-command) start -- "$$NAME"; else \
	    echo 'say where, as in: make start NAME=../my-labs' >&2; (exit 66); fi; $(own-code)
run-new-lab:
	@if [ -n "$$NAME" ]; then $(looplab-command) new-lab -- "$$NAME"; else \
	    echo 'say its number and name, as in: make new-lab NAME=09-chat' >&2; (exit 66); fi; $(own-code)
run-check-lab: $(kit)
	@if [ -n "$$LAB" ]; then $(looplab-command) check-lab --lab "$$LAB" $${RECORD:+--record}; else \
	    echo 'say which lab, as in: make check-lab LAB=09' >&2; (exit 66); fi; $(own-code)
run-course:
	@$(looplab-command) course $${COURSE:+--course="$$COURSE"}; $(own-code)
run-similar:
	@if [ -n "$$FROM" ]; then $(looplab-command) similar --from="$$FROM" $${OUT:+--out="$$OUT"} $${LAB:+--lab="$$LAB"}; \
	    else echo 'say which submissions, as in: make similar FROM=submissions' >&2; (exit 66); fi; $(own-code)
run-handout:
	@if [ -n "$$OUT" ]; then $(looplab-command) handout --out="$$OUT" $${KIND:+--kind="$$KIND"} $${LAB:+--labs="$$LAB"} \
	    $${COURSE:+--course="$$COURSE"}; \
	    else echo 'say where, as in: make handout OUT=../handout' >&2; (exit 66); fi; $(own-code)

# For the tests of ENGINE=slurm: a cluster on this machine.
try-cluster:
	@sh grader/scripts/deps.sh cluster

# Marp is fetched once, in the version that the lock file names, into build/.
build/node/ready: slides/package.json slides/package-lock.json
	@sh grader/scripts/deps.sh slides
	@mkdir -p $(@D) && rm -f $(@D)/failed && cp $^ $(@D) && echo 'fetching Marp (npm ci, into $(@D))'
	@cd $(@D) && npm ci --no-audit --no-fund --fetch-retries=1 --loglevel=error > npm.log 2>&1 || { \
	    echo "npm could not fetch Marp and puppeteer: $$(grep -E '^npm (ERR!|error)' npm.log | grep -v \
	    -e ' A complete log' -e ' code ' | \
	    sed -n 's/^npm [a-zA-Z!]* //p' | sed -n 1p) (log in $(@D)/npm.log)" > failed; \
	    echo "slides: $$(cat failed)" >&2; exit 2; }
	@touch $@

# For the tests: those that need it are skipped where it cannot be had, for the reason in build/node/failed.
try-node:
	@$(MAKE) looplab_within=1 build/node/ready 2> build/node.err || [ -f build/node/failed ] || cat build/node.err >&2

slides: $(kit) build/node/ready  ## the decks as HTML, PDF and notes, in build/slides: [DECK=01]
	@$(build-is-done)$(looplab) slides/build.py $${DECK:+"$$DECK"}

# The compiler, Python and the editor that are in the page, and what lays it out: fetched once, as the lock file names
# them, into build/page-node; Jansson's source, which is compiled for the page, into build/jansson.
build/page-node/ready: grader/page/package.json grader/page/package-lock.json
	@sh grader/scripts/deps.sh page build/jansson
	@mkdir -p $(@D) && rm -f $(@D)/failed && cp $^ $(@D) && echo 'fetching what the page is made of (npm ci, into $(@D))'
	@cd $(@D) && npm ci --no-audit --no-fund --fetch-retries=1 --loglevel=error > npm.log 2>&1 || { \
	    echo "npm could not fetch what the page is made of: $$(grep -E '^npm (ERR!|error)' npm.log | grep -v \
	    -e ' A complete log' -e ' code ' | sed -n 's/^npm [a-zA-Z!]* //p' | sed -n 1p) (log in $(@D)/npm.log)" > failed; \
	    echo "page: $$(cat failed)" >&2; exit 2; }
	@touch $@

page: $(kit) build/page-node/ready  ## warm-ups in a browser, with a compiler: build/page/index.html
	@$(build-is-done)cp -R grader/page/. build/page-node/ && \
	    '$(PYTHON)' -I -X pycache_prefix="$$PWD/build/pycache" grader/page/plan.py build/page-node/plan.json \
	    build/page-node/house.json
	@root=$$PWD && cd build/page-node && node --no-wasm-tier-up kit.mjs "$$root" "$$root/build/jansson" . && \
	    node build.mjs "$$root" . plan.json "$$root/build/page"

doctor:  ## what is installed, what is missing, and what for
	@sh grader/scripts/deps.sh doctor

deps: build/deps.mk  ## install what is missing (each target does it by itself)
	@echo 'deps: all there'

deps-dev:  ## install the contributors' tools too: cross compiler, qemu, clang, valgrind, gdb
	@mkdir -p build && sh grader/scripts/deps.sh install build/deps.mk tests

clean:  ## remove build/, all that was built
	@rm -rf build

endif   # not elsewhere
