#!/bin/sh
# Stands in for systemctl where no systemd runs for users. It notes what it is asked in $SYSTEMCTL_LOG, answers is-active and
# is-enabled as if all went well, and fails where $SYSTEMCTL_FAILS names the verb. It neither reads units nor starts anything.
echo "$*" >>"$SYSTEMCTL_LOG"
if [ "$2" = "$SYSTEMCTL_FAILS" ]; then
  echo 'Failed to connect to bus: No medium found' >&2
  exit 1
fi
case $2 in
  is-active) echo active ;;
  is-enabled) echo enabled ;;
esac
