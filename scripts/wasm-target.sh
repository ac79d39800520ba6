#!/bin/sh
# The active Rust toolchain can build for wasm32-unknown-unknown: with what is there, else with
# rustup's help, else with the standard library built from the source of the very same version.
set -eu

target=wasm32-unknown-unknown
rustup_limit=90 # seconds: on a closed network rustup may wait for an answer that never comes

say() { echo "wasm-target: $*" >&2; }
fail() { say "$1"; say "Install the $target target of Rust $version by hand, then run this again."; exit 1; }

sysroot=$(rustc --print sysroot)
libdir=$(rustc --print target-libdir --target "$target")
version=$(rustc --version | cut -d' ' -f2)
has_std() { ls "$libdir"/libstd-*.rlib >/dev/null 2>&1; }

rustup_adds_it() {
  command -v rustup >/dev/null 2>&1 || return 1
  say "asking rustup for $target"
  RUST_BACKTRACE=0 RUSTUP_MAX_RETRIES=1 rustup target add "$target" >&2 &
  adding=$!
  (i=0; while [ $i -lt $rustup_limit ] && kill -0 $adding 2>/dev/null; do sleep 1; i=$((i + 1)); done
   kill $adding 2>/dev/null) >/dev/null 2>&1 &
  wait $adding && has_std
}

# Prints the folder of the standard library's source: rustup's rust-src, else the distribution's.
find_source() {
  if [ -e "$sysroot/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    echo "$sysroot/lib/rustlib/src/rust/library"
    return
  fi
  command -v apt-get >/dev/null 2>&1 || fail "rustup cannot add the target, and there is no apt to get its source from."
  # The running release carries an older compiler: look where newer ones are, on the machine's own mirror.
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null |
    grep '/debian/*$' | head -n 1)
  [ -n "$mirror" ] || fail "rustup cannot add the target, and apt knows no Debian mirror."
  for suite in stable-backports testing unstable; do
    rm -rf "$work/apt"
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/apt/parts"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/apt/sources"
    say "looking for the source of Rust $version in $suite"
    apt_here update >&2 || continue
    (cd "$work/apt" && apt_here download "rust-src=$version+*" >&2) || continue
    dpkg -x "$work"/apt/rust-src_*.deb "$work/source"
    echo "$work"/source/usr/src/rustc-*/library
    return
  done
  fail "rustup cannot add the target, and the distribution has no source of Rust $version."
}

# Keeps to itself: neither the machine's package lists nor its caches are touched.
apt_here() {
  apt-get -qq -o Dir::Etc::SourceList="$work/apt/sources" -o Dir::Etc::SourceParts="$work/apt/parts" \
    -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt" -o Acquire::Languages=none \
    -o APT::Sandbox::User=root "$@"
}

# cargo looks for the source in the sysroot and nowhere else.
build_std() {
  place=$sysroot/lib/rustlib/src/rust/library
  if [ "$1" != "$place" ]; then
    [ ! -L "$place" ] || rm -f "$place"
    [ ! -e "$place" ] || fail "$place is in the way."
    mkdir -p "${place%/*}"
    ln -s "$1" "$place"
    linked=$place
  fi
  say "building the standard library of Rust $version for $target"
  cargo new --quiet --lib --vcs none --name std_build "$work/build" >&2
  (cd "$work/build" && RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Cembed-bitcode=yes CARGO_TARGET_DIR=target \
    cargo build --release --target "$target" -Z build-std=std,panic_abort,panic_unwind >&2)
}

# In one step, so that an interrupted run leaves no half of a library behind.
install_std() {
  rm -rf "$libdir.new"
  mkdir -p "$libdir.new"
  rm -f "$work/build/target/$target/release/deps/"libstd_build-*
  cp "$work/build/target/$target/release/deps/"*.rlib "$libdir.new/"
  rm -rf "$libdir"
  mv "$libdir.new" "$libdir"
}

has_std && exit 0
rustup_adds_it && exit 0

linked=
work=$(mktemp -d)
trap '[ -z "$linked" ] || rm -f "$linked"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
source=$(find_source)
build_std "$source"
install_std
has_std || fail "the standard library was built, but is not complete."
say "installed in $libdir"
