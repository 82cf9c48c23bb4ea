#!/bin/sh
# The servers and the browser that the tests run against. Root on Debian or Ubuntu gets them
# installed; anybody else is told what is missing and how to get it.
set -eu

missing=""
command -v dovecot >/dev/null || missing="$missing dovecot-imapd"
command -v nsd >/dev/null || missing="$missing nsd"
command -v chromium >/dev/null || missing="$missing chromium"
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing for the tests:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    # The tests start their own servers on free ports; RUNLEVEL=1 keeps the packages from starting theirs.
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086 # a list of words
    RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing fonts-dejavu-core >/dev/null
    exit 0
fi

echo "The tests need these programs:$missing" >&2
echo "On Debian or Ubuntu: sudo apt-get install$missing" >&2
exit 2
