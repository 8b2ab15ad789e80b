# elsewhere.mk - what the Makefile is with BUILD=DIR: the same words are said to a make that works in DIR, and its exit
# code is this one's.

elsewhere := $(shell BUILD='$(subst ','\'',$(BUILD))' sh grader/scripts/elsewhere.sh links 2>&1)
ifneq ($(firstword $(elsewhere)),ok)
$(error $(elsewhere))
endif
ifneq ($(filter test,$(MAKECMDGOALS)),)
$(error the project's own tests need a checkout of their own: git clone '$(CURDIR)' '$(BUILD)')
endif
there := $(abspath $(BUILD))

-load $(there)/build/kit/make_exit.so
$(there)/build/kit/make_exit.so: grader/scripts/make_exit.c
	$(make-extension)

note_exit := $(if $(filter $(there)/build/kit/make_exit.so,$(.LOADED)),{ code=$$?; { echo $$code \
    > '$(there)/build/'exit.$$PPID; } 2> /dev/null || exit $$code; },exit $$?)

.PHONY: $(MAKECMDGOALS) hand-on
$(MAKECMDGOALS): hand-on
	@$(exit-as-noted $(there)/build/exit.)
hand-on:
	+@sh grader/scripts/elsewhere.sh make '$(MAKE)' $(MAKECMDGOALS); $(note_exit)
