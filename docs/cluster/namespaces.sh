#!/usr/bin/env bash
# Two hosts on one machine: runs a command with MPI in two network namespaces, which have their own names and addresses
# and reach each other by TCP alone. As root: `docs/cluster/namespaces.sh 2 tallow train photos --epochs 1`.
set -euo pipefail
n=$1
shift
here=$(mktemp -d)
one=tallow$$-1 two=tallow$$-2

cleanup() {
    ip netns del "$one" 2>/dev/null || true
    ip netns del "$two" 2>/dev/null || true
    rm -rf "$here"
}
trap cleanup EXIT

ip netns add "$one"
ip netns add "$two"
ip link add tallow-a netns "$one" type veth peer name tallow-b netns "$two"
ip -n "$one" addr add 10.77.0.1/24 dev tallow-a
ip -n "$two" addr add 10.77.0.2/24 dev tallow-b
for name in "$one:tallow-a" "$two:tallow-b"; do
    ip -n "${name%:*}" link set lo up
    ip -n "${name%:*}" link set "${name#*:}" up
done

# What `ssh` is among hosts: the daemon of the other host is started in its namespace, under its name.
cat >"$here/agent" <<AGENT
#!/usr/bin/env bash
name=tallow$$-\${1##*.}
shift
exec ip netns exec "\$name" unshare --uts bash -c "hostname \$name; \$*"
AGENT
chmod +x "$here/agent"

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ip netns exec "$one" unshare --uts bash -c 'hostname "$0"; exec "$@"' "$one" \
    mpirun --host "10.77.0.1:$n,10.77.0.2:$n" --map-by node -n "$n" --bind-to none \
    --mca plm_rsh_agent "$here/agent" --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca oob_tcp_if_include 10.77.0.0/24 ${TALLOW_MPI_ARGS:-} "$@"
