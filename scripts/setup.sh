#!/bin/sh
# All set-up in one script: system tools, npm packages, the build. Each part does only what is missing, so a second run
# does nothing and says nothing. Everything it prints goes to stderr.
#
#   sh scripts/setup.sh               everything
#   sh scripts/setup.sh --no-system   no system tools (reading captures needs none of them)
set -eu
exec </dev/null 1>&2
cd "$(dirname "$0")/.."
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf 'setup: %s\n' "$*"; }
die() {
  say "$*"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

system=yes
for option in "$@"; do
  case "$option" in
    --no-system) system=no ;;
    *) die "unknown option $option (there is only --no-system)" ;;
  esac
done

# --- Node.js ---------------------------------------------------------------------------------------------------------

have node || die "needs Node.js 20 or newer, and there is no node on the PATH"
have npm || die "needs npm, which comes with Node.js, and there is none on the PATH"
node_version=$(node --version)
node_major=${node_version#v}
node_major=${node_major%%.*}
[ "$node_major" -ge 20 ] || die "needs Node.js 20 or newer, this is $node_version"

# --- system tools ----------------------------------------------------------------------------------------------------

if have apt-get; then
  family=debian
elif have dnf; then
  family=fedora
elif have apk; then
  family=alpine
else
  family=unknown
fi

has_pcap_headers() { [ -e /usr/include/pcap.h ] || [ -e /usr/include/pcap/pcap.h ] || [ -e /usr/local/include/pcap.h ]; }
has_compiler() { have c++ || have g++; }

missing=
# need NAME [DEBIAN FEDORA ALPINE]: NAME is missing, and this is what the package is called where the name differs.
need() {
  case "$family" in
    debian) missing="$missing ${2:-$1}" ;;
    fedora) missing="$missing ${3:-$1}" ;;
    alpine) missing="$missing ${4:-$1}" ;;
    *) missing="$missing $1" ;;
  esac
}

find_missing() {
  missing=
  # The optional capture binding is compiled on the spot.
  has_pcap_headers || need libpcap-dev libpcap-dev libpcap-devel libpcap-dev
  has_compiler || need g++ g++ gcc-c++ g++
  have make || need make
  have python3 || need python3
  # What captures, what answers are compared with, and what tests make resets with.
  have tcpdump || need tcpdump
  have tcpreplay || need tcpreplay
  have tshark || need tshark tshark wireshark-cli tshark
  have lsof || need lsof
  have nft || need nftables
  have nmap || need nmap
  have jq || need jq
  # Real servers whose resets are judged.
  have nginx || need nginx nginx-light nginx nginx
  have redis-server || need redis-server redis-server redis redis
  have gzip || need gzip
  # Busybox has an ip and a ps of its own, but neither ss nor vmstat.
  have ss || need iproute2 iproute2 iproute iproute2
  have vmstat || need procps procps procps-ng procps
  missing=${missing# }
}

# Debian starts a server as soon as it is installed, and again at every boot; tests start their own.
policy=/usr/sbin/policy-rc.d
held=
hold_services() {
  [ "$family" = debian ] && [ ! -e "$policy" ] || return 0
  held=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
}
release_services() {
  if [ -n "$held" ]; then rm -f "$policy"; fi
  held=
}
disable_services() {
  for service in nginx:nginx-light redis-server:redis-server; do
    case " $missing " in
      *" ${service#*:} "*)
        if have systemctl; then systemctl disable --now "${service%:*}" >/dev/null 2>&1 || true; fi
        if have update-rc.d; then update-rc.d "${service%:*}" disable >/dev/null 2>&1 || true; fi
        ;;
    esac
  done
}

# install PACKAGE…
install() {
  case "$family" in
    debian) DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=60 "$@" ;;
    fedora) dnf install -y -q "$@" ;;
    alpine) apk add -q "$@" ;;
  esac
}
refresh() {
  case "$family" in
    debian) apt-get update -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 ;;
    alpine) apk update -q ;;
  esac
}
install_command() {
  case "$family" in
    debian) echo "apt-get update && ${1}apt-get install -y $missing" ;;
    fedora) echo "dnf install -y $missing" ;;
    alpine) echo "apk add $missing" ;;
  esac
}

# Package names are words, so $missing is split on purpose.
# shellcheck disable=SC2086
install_missing() {
  say "installing $missing"
  log=$(mktemp)
  refresh >"$log" 2>&1 || say "warning: the package lists could not be refreshed: $(tail -n 1 "$log")"
  trap release_services EXIT
  hold_services
  # One unknown name makes the whole transaction fail, so what fails together is tried one by one.
  if ! install $missing >"$log" 2>&1; then
    for package in $missing; do
      install "$package" >"$log" 2>&1 || say "warning: $package could not be installed: $(tail -n 1 "$log")"
    done
  fi
  release_services
  disable_services
  rm -f "$log"
}

if [ "$system" = yes ]; then
  find_missing
  if [ -n "$missing" ]; then
    if [ "$family" = unknown ]; then
      say "missing: $missing"
      say "neither apt-get, dnf nor apk is here: install these with the system's own package manager"
    elif [ "$(id -u)" -ne 0 ]; then
      say "missing, and only root can install them: $missing"
      say "type: sudo $(install_command 'sudo ')"
    else
      install_missing
    fi
  fi
fi

# --- npm packages ----------------------------------------------------------------------------------------------------

can_build_cap=no
if has_pcap_headers && has_compiler && have make && have python3; then can_build_cap=yes; fi

# Node's version is part of it because the capture binding is compiled for one; so is whether it could be compiled.
wanted="$(cksum <package-lock.json) $node_version cap=$can_build_cap"
stamp=node_modules/.setup-stamp
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  say "npm ci"
  log=$(mktemp)
  if ! npm ci --no-audit --no-fund --loglevel=error >"$log" 2>&1; then
    head -n 20 "$log"
    rm -f "$log"
    die "npm ci failed"
  fi
  rm -f "$log"
  if ! node -e "require('cap')" >/dev/null 2>&1; then
    say "warning: the optional capture binding (cap) could not be built; tcpdump does its work"
  fi
  printf '%s\n' "$wanted" >"$stamp"
fi

# --- build -----------------------------------------------------------------------------------------------------------

# Two sums: of the names, because the compiler leaves the output of a removed source behind, and of what is in them.
sources=$(find src -name '*.ts' -type f | LC_ALL=C sort)
names=$(printf '%s\n' "$sources" | cksum)
# shellcheck disable=SC2086
contents=$(cat package-lock.json tsconfig.json scripts/bundle.mjs $sources | cksum)
stamp=dist/.setup-stamp
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$names $contents" ]; then
  say "npm run build"
  case "$(cat "$stamp" 2>/dev/null || true)" in
    "$names "*) rm -f "$stamp" ;;
    *) rm -rf dist ;;
  esac
  npm run --silent build || die "the build failed"
  printf '%s\n' "$names $contents" >"$stamp"
fi
