#!/bin/sh
# Many domains at once on one `epicure serve`: creates them, asks each for an answer on its console, and prints what they cost.
#
#   Benchmarks/domains.sh EPICURE GUESTS [--domains N] [--linux N] [--seconds S]
#
# GUESTS has linux-6.1. Of N domains (60) some (8) are Linux with 96 to 128 MB, the others the guest of GuestImages/echo with 64 MB.
# Speed is measured over S (20) seconds of the host's processor: slots of all busy echo domains together, against one alone. The status is 1 if a
# domain does not answer, or if the speed together is below 90 % of that alone.
set -eu

here=$(dirname "$0")
if [ $# -lt 2 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
epicure=$(realpath "$1")
guests=$(realpath "$2")
shift 2
domains=60
linux=8
seconds=20
while [ $# -gt 0 ]; do
  case $1 in
    --domains) domains=$2; shift 2 ;;
    --linux) linux=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    *) echo "domains.sh: $1?" >&2; exit 2 ;;
  esac
done

work=$(mktemp -d)
make -s -C "$here/../GuestImages/echo" BUILD="$work" >/dev/null 2>&1 || { echo "domains.sh: GNU binutils for ia64 are missing" >&2; exit 2; }
EPICURE_SOCKET=$work/control
export EPICURE_SOCKET
"$epicure" serve --cpus 2 --memory 24G 2>"$work/server" &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$work"' EXIT
while [ ! -S "$EPICURE_SOCKET" ]; do kill -0 $server || { cat "$work/server" >&2; exit 1; }; sleep 0.1; done

cat >"$work/echo.cfg" <<END
builder = "hvm"
memory = 64
kernel = "$work/echo.elf"
END
cat >"$work/linux.cfg" <<END
builder = "hvm"
kernel = "$guests/linux-6.1/vmlinux.gz"
ramdisk = "$guests/linux-6.1/initramfs.cpio.gz"
epicure_append = "console=ttyS0"
END

now() { date +%s.%N; }
calculate() { awk "BEGIN { printf \"%.$1f\", $2 }"; }
# number KEY: the sum of a key over all domains.
number() { "$epicure" top --json -d 0.01 | awk -v key="\"$1\"" '$1 == key { gsub(",", "", $3); sum += $3 } END { printf "%.0f", sum }'; }
answers() { echo | timeout 300 "$epicure" console "$1" --new --until "$2" >/dev/null; }
busy() { printf 'B\r' | timeout 60 "$epicure" console "$1" --new --until answers >/dev/null; }

# used: seconds of the host's processors that the server has used, which for Domain-0 is its time.
used() { "$epicure" list --json 0 | awk '$1 == "\"processor_seconds\"" { gsub(",", "", $3); print $3 }'; }
# speed: millions of slots in a second of the host's processor; others may use the host at the same time.
speed() {
  before=$(number instructions)
  start=$(used)
  while sleep 1; end=$(used); awk "BEGIN { exit !($end - $start < $seconds) }"; do :; done
  after=$(number instructions)
  calculate 1 "($after - $before) / ($end - $start) / 1e6"
}

"$epicure" create -q "$work/echo.cfg" name=alone
answers alone answers
busy alone
alone=$(speed)
"$epicure" destroy alone

: >"$work/times"
# create NAME FILE [SETTING...]
create() {
  start=$(now)
  "$epicure" create -q "$work/$2.cfg" name="$1" $3
  echo "$2 $(calculate 6 "$(now) - $start")" >>"$work/times"
}
begin=$(now)
number=1
while [ $number -le "$linux" ]; do
  create "linux$number" linux "memory=$((96 + 32 * (number % 2)))"
  number=$((number + 1))
done
while [ $number -le "$domains" ]; do
  create "echo$number" echo ""
  number=$((number + 1))
done
created=$(calculate 1 "$(now) - $begin")

silent=0
number=1
while [ $number -le "$domains" ]; do
  if [ $number -le "$linux" ]; then
    name=linux$number
    timeout 900 "$epicure" console "$name" --until 'EPICURE GUEST READY' </dev/null >/dev/null || true
    echo 'echo 6 times 7 is $((6 * 7))' | timeout 60 "$epicure" console "$name" --new --until 'is 42' >/dev/null || { echo "$name does not answer"; silent=$((silent + 1)); }
  else
    answers "echo$number" answers || { echo "echo$number does not answer"; silent=$((silent + 1)); }
  fi
  number=$((number + 1))
done
answered=$(calculate 1 "$(now) - $begin")

number=$((linux + 1))
while [ $number -le "$domains" ]; do busy "echo$number"; number=$((number + 1)); done
together=$(speed)
number=$((linux + 1))
while [ $number -le "$domains" ]; do answers "echo$number" answers || silent=$((silent + 1)); number=$((number + 1)); done

"$epicure" list
echo
"$epicure" top --json -d 1 >"$work/top"
printf '%-8s %8s %14s %14s %18s %18s\n' kind domains 'promised MiB' 'touched MiB' 'creation s, mean' 'creation s, most'
for kind in linux echo; do
  awk -v kind=$kind -v times="$work/times" '
    $1 == "\"memory\"" { gsub(",", "", $3); memory = $3 }
    $1 == "\"name\"" { name = $3 }
    $1 == "\"resident_memory\"" { gsub(",", "", $3); if (index(name, kind)) { count++; promised += memory; touched += $3 } }
    END {
      while ((getline line < times) > 0) { split(line, part, " "); if (part[1] == kind) { n++; sum += part[2]; if (part[2] > most) most = part[2] } }
      if (count) printf "%-8s %8d %14.1f %14.1f %18.3f %18.3f\n", kind, count, promised / count, touched / count, sum / n, most
    }' "$work/top"
done
echo
resident=$(awk '/^VmRSS/ { print $2 / 1024 }' /proc/$server/status)
"$epicure" info | grep memory
echo "host memory of the server: $(calculate 0 "$resident") MiB"
echo "all created after $created s, all answered after $answered s, $silent silent"
share=$(calculate 1 "100 * $together / $alone")
echo "speed: one busy domain alone $alone million slots/s, $((domains - linux)) busy ones together $together million slots/s: $share %"
[ "$silent" = 0 ] && awk "BEGIN { exit !($share >= 90) }"
