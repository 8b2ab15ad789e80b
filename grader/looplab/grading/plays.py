"""The runs of the search: of the build that counts coverage, one begun while the one before is looked at; some of them
also of the build with sanitizers, whose findings are told with those of all runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Optional, Protocol, Sequence

from ..asking.call import Call, Settings, call
from ..asking.check import Check
from ..asking.contract import Contract, Situation
from ..asking.world import World
from ..plain.failure import CheckFailed, Failure, GraderFault
from ..reading import forged
from ..reading.run import NeverReported, Run
from .recorded import Recorded

ENDLESS = ("livelock", "endless")       # what the kit itself stops after a million steps: it takes as long as a limit
Judged = dict[int, Optional[CheckFailed]]


@dataclass(frozen=True)
class Outcome:
    """What became of one situation. stopped: the run that had to be ended at a limit."""

    judged: Judged
    stopped: Optional[Recorded] = None

    def breaks(self, number: int) -> Optional[CheckFailed]:
        """How it breaks that requirement; None: it does not."""
        return self.judged.get(number)


class Pending(Protocol):
    """A run that is under way."""

    def finish(self) -> Recorded:
        """Waits for its end."""


class Stage(Protocol):
    """Who makes runs: the session. judged: can a judge hold their worlds? worn: why it takes no more of them, "": it
    does. ended: why one is a failure by itself. begin: in one process, or both. whole: in both builds, with a command
    that repeats it in the world of that name. kept: a run that was begun here counts as such a one."""

    judged: bool
    worn: str

    def ended(self, recorded: Recorded) -> Optional[Failure]: ...

    def begin(self, check: Check, called: Call, both: bool, judged: bool = False,
              alone: bool = False) -> Pending: ...

    def whole(self, check: Check, called: Call, name: str) -> Recorded: ...

    def kept(self, recorded: Recorded, name: str) -> Recorded: ...

    def as_run(self, recorded: Recorded, situation: Situation) -> Run: ...

    def reference(self, check: Check, mode: str, world: World, urls: Optional[Sequence[str]] = None, *,
                  settings: Optional[Settings] = None, may_fail: bool = False) -> Run: ...


class Plays:
    """Of one search. check: in whose name the runs are made."""

    def __init__(self, stage: Stage, contract: Contract, check: Check):
        self._stage, self._contract, self._check = stage, contract, check
        self._known: dict[Call, Outcome] = {}
        self._waits = False         # one was stopped, and once more, as it waited without end
        self.idle = True            # no run has asked for anything yet: nothing is written

    def called(self, situation: Situation) -> Call:
        """How the program is called in it. Raises GraderFault for a situation that cannot be."""
        try:
            return call(situation.mode, situation.world, situation.urls, None, situation.settings)
        except ValueError as fault:
            raise GraderFault(f"{self._check.place}: {fault}") from None

    def begin(self, situation: Situation, both: bool = False) -> "Play":
        """Starts it, unless it was played before. both: in the build with sanitizers, too."""
        called = self.called(situation)
        pending = None if called in self._known else self._stage.begin(self._check, called, both)
        return Play(self, situation, called, pending)

    def play(self, situation: Situation) -> Outcome:
        """Plays it to its end."""
        return self.begin(situation).outcome()

    def proof(self, situation: Situation) -> Outcome:
        """Plays it before a judge. Where it breaks something then, that is what is known of it from here on."""
        called = self.called(situation)
        pending = self._stage.begin(self._check, called, False, judged=True, alone=True)
        outcome = self._judge(situation, pending.finish())
        if any(outcome.judged.values()):
            self._known[called] = outcome
        return outcome

    def finished(self, play: "Play") -> Outcome:
        """What became of it."""
        if play.called not in self._known:
            assert play.pending
            recorded = play.pending.finish()
            if recorded.outcome.limit == "wall" and not self._waits:    # once may be the machine's doing, not twice
                recorded = self._stage.begin(self._check, play.called, False).finish()
                self._waits = recorded.outcome.limit == "wall"
            outcome = self._judge(play.situation, recorded)
            if recorded.together and any(outcome.judged.values()):
                # what others have left behind is no fault of its own
                recorded = self._stage.begin(self._check, play.called, False, alone=True).finish()
                outcome = self._judge(play.situation, recorded)
            self._known[play.called] = outcome
        return self._known[play.called]

    def shown(self, situation: Situation, number: int, name: str) -> tuple[CheckFailed, Recorded]:
        """How it breaks a requirement, as both builds tell it. name: of the world's file."""
        stopped = self._known[self.called(situation)].stopped
        recorded = self._stage.kept(stopped, name) if stopped else \
            self._stage.whole(self._check, self.called(situation), name)
        failed = self._judge(situation, recorded).breaks(number)
        if failed is None:
            failed = self._known[self.called(situation)].breaks(number)
        assert failed
        return failed, recorded

    def _judge(self, situation: Situation, recorded: Recorded) -> Outcome:
        self.idle = self.idle and not (recorded.trace and recorded.trace.requests)
        failure = self._stage.ended(recorded)
        if failure:
            stopped = recorded.outcome.limit is not None or failure.cause is not None and failure.cause.kind in ENDLESS
            return Outcome({self._contract.blame(situation): CheckFailed(self._contract.reason(situation, failure))},
                           recorded if stopped else None)
        try:
            run = self._stage.as_run(recorded, situation)
            run.beside = cache(lambda: self._stage.reference(self._check, situation.mode, situation.world,
                                                             situation.urls, settings=situation.settings,
                                                             may_fail=True))
            return Outcome(self._contract.judge(situation, run))
        except NeverReported:
            failure = forged.told("not every one did")
        except Exception:
            name = run.forged()
            if name is None and not self._judges_the_reference(situation, run):
                raise
            failure = forged.written(name)
        return Outcome({self._contract.blame(situation): CheckFailed(failure)})

    def _judges_the_reference(self, situation: Situation, run: Run) -> bool:
        """Does the contract find its way through what the reference reports in that situation? Then it is not the
        contract that is wrong."""
        try:
            self._contract.judge(situation, run.beside())
            return True
        except Exception:
            return False


@dataclass(frozen=True)
class Play:
    """A situation that is being played."""

    plays: Plays
    situation: Situation
    called: Call
    pending: Optional[Pending]

    def outcome(self) -> Outcome:
        """Waits for its end."""
        return self.plays.finished(self)
