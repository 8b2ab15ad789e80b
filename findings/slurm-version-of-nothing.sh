#!/bin/sh
# Slurm: which version a command is, it says only where there is a cluster.
#
# Seen on Slurm 22.05.8 (Debian 12's packages slurm-client and slurm-wlm-basic-plugins 22.05.8-4+deb12u3, amd64).
#
# `sbatch --version` prints its version and ends with 0; so do sinfo, squeue, srun and the others. A script that looks
# whether a tool is there, and which, asks that.
#
# Where there is no slurm.conf they do not come so far: before a word of the command line is read, the configuration is
# looked for, in the end by the DNS (an SRV record), and without one the command ends with 1 and "fatal: Could not
# establish a configuration source". `--help` ends so, too. So a client that is installed and whole looks like one that
# is broken. The two servers, slurmctld and slurmd, answer -V without a configuration.
#
# Exit 0: it is still so. 1: it has changed. 2: these versions cannot be had.
set -eu

version=22.05.8-4+deb12u3
for tool in apt-get dpkg-deb timeout; do
    command -v "$tool" >/dev/null || { echo "$0: needs $tool" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
cd "$work"
apt-get download -q "slurm-client=$version" "slurm-wlm-basic-plugins=$version" "slurmctld=$version" >log 2>&1 ||
    { cat log >&2; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" . || exit 2; done
LD_LIBRARY_PATH=$(echo "$work"/usr/lib/*/slurm-wlm)
export LD_LIBRARY_PATH
printf 'ClusterName=c\nSlurmctldHost=localhost\n' >slurm.conf

# said WHAT COMMAND...: how it ends, and the end of what it says.
said() {
    what=$1 code=0
    shift
    timeout 60 "$@" >out 2>&1 || code=$?
    echo "$what: $code, $(tail -n 1 out)"
}

{
    for word in --version --help; do
        said "sbatch $word, no file" env -u SLURM_CONF usr/bin/sbatch $word
    done
    said "sbatch --version, a file" env SLURM_CONF="$work/slurm.conf" usr/bin/sbatch --version
    said "slurmctld -V, no file" env -u SLURM_CONF usr/sbin/slurmctld-wlm -V
} >report
[ ! -e /etc/slurm/slurm.conf ] || { echo "$0: this machine has a cluster" >&2; exit 2; }
cat >wanted <<'END'
sbatch --version, no file: 1, sbatch: fatal: Could not establish a configuration source
sbatch --help, no file: 1, sbatch: fatal: Could not establish a configuration source
sbatch --version, a file: 0, slurm-wlm 22.05.8
slurmctld -V, no file: 0, slurm-wlm 22.05.8
END
cat report
cmp -s report wanted || { echo "$0: it was:" >&2; cat wanted >&2; exit 1; }
