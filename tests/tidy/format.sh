#!/bin/sh
# clang-format has nothing to change in what is committed or staged.
set -eu
cd "$(dirname "$0")/../.."
git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
echo "formatted"
