# Installs what the build and the tests need: Debian packages, Drogon from Debian's source package
# where the release has none that is new enough, Node.js for the tests. Sourced by ./dev.
# Everything is idempotent; downloads and builds are kept in the cache directory.
# shellcheck shell=bash

drogonWanted=1.9.10

buildPackages=(
  g++ cmake ninja-build ccache mold pkg-config git ca-certificates
  libssl-dev libsodium-dev libspdlog-dev libtomlplusplus-dev libcli11-dev
  libsqlite3-dev libmariadb-dev libjsoncpp-dev libhiredis-dev libc-ares-dev libbrotli-dev
  libyaml-cpp-dev libmimalloc-dev prometheus-cpp-dev uuid-dev zlib1g-dev libzstd-dev python3-yaml tzdata)
testPackages=(libgtest-dev libgmock-dev mariadb-server redis-server nginx-light curl prometheus)
lintPackages=(clang-format-19)
tidyPackages=(clang-tidy-19)
# Fault injection, and what mounts small disks.
longPackages=(strace mount)
# What ./dev cluster starts; Consul is fetched by setupConsul.
clusterPackages=(mariadb-server redis-server nginx-light python3)
# A cluster on Galera: what a new node gets its data with, and what stands in front of the nodes.
galeraPackages=(galera-4 mariadb-backup socat iproute2 haproxy)
# llvm-19 names the functions in what a sanitizer reports.
clangPackages=(clang-19 libclang-rt-19-dev llvm-19)

# Names of those of the given packages that are not installed.
missingPackages() {
  local have; have=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p' || true)  # a name that dpkg has never heard of is simply missing
  local name
  for name in "$@"; do grep -qxF "$name" <<<"$have" || printf '%s\n' "$name"; done
}

# needPackages NAME...: installs those that are missing, in one go.
needPackages() {
  local missing; mapfile -t missing < <(missingPackages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  # --no-install-recommends keeps a bare machine small; RUNLEVEL=1 keeps servers from starting.
  installNow() {
    asRoot apt-get update -q &&
      asRoot env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "${missing[@]}"
  }
  step "Installing ${#missing[@]} Debian packages: ${missing[*]}" apt.log installNow
}

candidateVersion() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^  Candidate: //p' | sed 's/^[0-9]*://'; }

boostPackage() {
  [ ! -f /usr/include/boost/describe.hpp ] || return 0
  asRoot apt-get update -q >"$logDir/apt-update.log" 2>&1 ||
    die "'apt-get update' failed." "Its output is in $logDir/apt-update.log; is the network there?"
  if dpkg --compare-versions "$(candidateVersion libboost-dev || true)" ge 1.81; then
    needPackages libboost-dev
  else
    needPackages libboost1.81-dev
  fi
}

# A private apt that sees one more suite of the machine's own mirror; the system's sources stay as they are.
# privateApt SUITE KIND COMMAND...: COMMAND is an apt-get command line without 'apt-get'.
privateApt() {
  local suite=$1 kind=$2; shift 2
  local dir=$cacheDir/apt-$suite mirror
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -vE '^[[:space:]]*#' |
    grep -oE '(https?|mirror\+[a-z]+):/*[^] ]*/debian/?([[:space:]]|$)' | head -n 1 | tr -d '[:space:]')
  [ -n "$mirror" ] || die "No Debian mirror found in /etc/apt." "Add one, or install what comes from Debian's $suite yourself."
  mkdir -p "$dir"/{lists/partial,archives/partial,etc/preferences.d}
  printf '%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
    "$kind" "$mirror" "$suite" >"$dir/sources.list"
  local options=(-o Dir::Etc::SourceList="$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$dir/etc/preferences.d"
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache::Archives="$dir/archives"
    -o Dir::Cache::PkgCache="$dir/pkgcache.bin" -o Dir::Cache::SrcPkgCache="$dir/srcpkgcache.bin"
    -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -q && apt-get "${options[@]}" "$@"
}

compilerKey() { printf '%s' "${CXX:-g++}-$(${CXX:-g++} -dumpfullversion)-$(dpkg --print-architecture)"; }

# Fetches, builds and installs one CMake project from sid's source package.
buildFromSource() {
  local package=$1 prefix=$2; shift 2
  local work=$cacheDir/source/$package
  rm -rf "$work"; mkdir -p "$work"; cd "$work" || return 1
  privateApt sid deb-src source --only-source "$package" || return 1
  local tree; tree=$(find . -mindepth 1 -maxdepth 1 -type d | head -n 1)
  cmake -S "$tree" -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF "$@" &&
    cmake --build build && cmake --install build && cd / && rm -rf "$work"
}

# Leaves the prefix to look for Drogon in, in $drogonPrefix; empty when the system's own will do.
setupDrogon() {
  drogonPrefix=$cacheDir/drogon-$(compilerKey)
  [ ! -f "$drogonPrefix/complete" ] || return 0
  local version; version=$(candidateVersion libdrogon-dev || true)
  if dpkg --compare-versions "${version:-0}" ge "$drogonWanted"; then
    drogonPrefix=''
    needPackages libdrogon-dev
    return 0
  fi
  needPackages dpkg-dev
  rm -rf "$drogonPrefix"
  step "Building Trantor from Debian's source package (once)" trantor.log \
    buildFromSource trantor "$drogonPrefix"
  step "Building Drogon from Debian's source package (once, about 4 minutes on 2 cores)" drogon.log \
    buildFromSource drogon "$drogonPrefix" -DBUILD_EXAMPLES=OFF -DBUILD_CTL=OFF \
    -DBUILD_POSTGRESQL=OFF -DUSE_SUBMODULE=OFF
  touch "$drogonPrefix/complete"
}

# Node.js 20 or newer: the system's, else Debian's where it is new enough, else the registry's own binary package.
setupNode() {
  local major=0
  command -v node >/dev/null && major=$(node -p 'process.versions.node.split(".")[0]')
  if [ "$major" -lt 20 ] && [ ! -x "$cacheDir/node/node_modules/.bin/node" ]; then
    local version; version=$(candidateVersion nodejs)
    if dpkg --compare-versions "${version:-0}" ge 20; then needPackages nodejs
    else
      needPackages nodejs npm
      mkdir -p "$cacheDir/node"
      step "Fetching Node.js 22 from the npm registry (once)" node.log \
        npm install --prefix "$cacheDir/node" --no-audit --no-fund node@22
    fi
  fi
  [ ! -x "$cacheDir/node/node_modules/.bin/node" ] || PATH=$cacheDir/node/node_modules/.bin:$PATH
  command -v npm >/dev/null || needPackages npm
}

setupBuild() {
  command -v apt-get >/dev/null ||
    die "This set-up speaks apt." "On another system install the libraries named in $root/tools/dev/setup.sh, then run cmake --preset release."
  needPackages "${buildPackages[@]}"
  boostPackage
  setupDrogon
}

setupTest() {
  needPackages "${testPackages[@]}"
  setupNode
}

# Consul is in Debian 11 and in none since; its package holds one static binary. Leaves the program in $consulProgram.
setupConsul() {
  if consulProgram=$(command -v consul); then return 0; fi
  consulProgram=$cacheDir/consul/usr/bin/consul
  [ ! -x "$consulProgram" ] || return 0
  fetchConsul() {
    local work=$cacheDir/consul.new
    rm -rf "$work"; mkdir -p "$work/root"; cd "$work" || return 1
    privateApt bullseye deb download consul && dpkg -x consul_*.deb root &&
      rm -rf "$cacheDir/consul" && mv root "$cacheDir/consul" && cd / && rm -rf "$work"
  }
  step "Fetching Consul from Debian 11 (once)" consul.log fetchConsul
}

# A MySQL server of sid with the libraries of its own release, unpacked beside the system: no package is installed, and
# nothing of it runs as anything but $mysqlRoot says. Leaves its root directory in $mysqlRoot.
setupMysql() {
  mysqlRoot=$cacheDir/mysql
  [ ! -f "$mysqlRoot/complete" ] || return 0
  fetchMysql() {
    local work=$cacheDir/mysql.new package
    rm -rf "$work"; mkdir -p "$work/packages/partial" "$work/root" || return 1
    : >"$work/status"  # nothing is installed there, so that every library comes along
    privateApt sid deb -o Dir::State::status="$work/status" -o Dir::Cache::Archives="$work/packages" \
      -y --no-install-recommends --download-only install mysql-server-core || return 1
    for package in "$work"/packages/*.deb; do dpkg -x "$package" "$work/root" || return 1; done
    rm -rf "$mysqlRoot"; mv "$work/root" "$mysqlRoot" && touch "$mysqlRoot/complete" && rm -rf "$work"
  }
  step "Fetching a MySQL server from Debian's sid (once, some 60 MB)" mysql.log fetchMysql
}

setupGalera() { needPackages "${galeraPackages[@]}"; }
setupCluster() { needPackages "${clusterPackages[@]}"; setupConsul; }
setupLong() { setupTest; needPackages "${longPackages[@]}"; }
setupLint() { needPackages "${lintPackages[@]}"; }
setupTidy() { needPackages "${tidyPackages[@]}"; }
