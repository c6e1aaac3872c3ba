#!/bin/sh
# Installs libscicodec, shared and static, its header and its pkg-config file:
#
#   cargo build --release -p scicodec-capi && tools/capi/install.sh PREFIX [FOLDER]
#
# FOLDER is where cargo has put the libraries: target/release unless given.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 PREFIX [FOLDER]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/lib/pkgconfig" "$1/include"
prefix=$(cd "$1" && pwd)
from=${2:-$here/../../target/release}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/../../Cargo.toml" | head -n 1)

case $(uname -s) in
    Darwin) shared=libscicodec.dylib; cp "$from/libscicodec_capi.dylib" "$prefix/lib/$shared" ;;
    *) shared=libscicodec.so; cp "$from/libscicodec_capi.so" "$prefix/lib/$shared.0"; ln -sf "$shared.0" "$prefix/lib/$shared" ;;
esac
cp "$from/libscicodec_capi.a" "$prefix/lib/libscicodec.a"
cp "$here/include/scicodec.h" "$prefix/include/scicodec.h"
cat > "$prefix/lib/pkgconfig/scicodec.pc" <<END
prefix=$prefix
Name: scicodec
Description: Error-bounded compression of gridded fields
Version: $version
Cflags: -I\${prefix}/include
Libs: -L\${prefix}/lib -lscicodec
Libs.private: -lpthread -ldl -lm
END
