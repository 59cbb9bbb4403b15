#!/bin/sh
# with_resolver.sh RESOLV_CONF PROGRAM [ARGUMENT...]: the program, with RESOLV_CONF as its /etc/resolv.conf.
# The mount is in a namespace that ends with the program.  Where there are none to be had it runs without.
own=$1
shift
if unshare --mount mount --bind "$own" /etc/resolv.conf 2>/dev/null; then
	exec unshare --mount sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$own" "$@"
fi
exec "$@"
