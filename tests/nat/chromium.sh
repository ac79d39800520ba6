#!/bin/sh
# Chromium with the arguments given, in the network namespace that NETWORK_NAMESPACE names.
exec ip netns exec "$NETWORK_NAMESPACE" "$CHROMIUM_BIN" "$@"
