#!/bin/sh
# Starts one job and writes down how it ended, whether or not the engine is still there.
#
#   supervisor.sh RUN_DIR WORKING_DIR COMMAND [ARGUMENT…]
#
# In RUN_DIR, in this order:
#   claim/      made by whoever may decide about this launch, once: this script before it starts anything, or a
#               recovering engine, which thereby knows that nothing was and never will be started
#   supervisor  pid, start time and boot id of this script, a line each
#   output.log  stdout and stderr of the command, as it writes them
#   cause       why the command could not be started, where that is so
#   exit        the exit code, 128 + n for signal n
# `supervisor` and `exit` appear whole or not at all: written beside and moved into place.
# The braces make the shell read all of it first, so that nothing depends on its own descriptors.
{
  run=$1
  dir=$2
  shift 2

  # By its path, as all that this script needs: PATH is the job's, and may lead anywhere.
  /bin/mkdir "$run/claim" 2>/dev/null || exit 0

  # What a graphical host leaks into its children must not outlive it here.
  if [ -n "$BASH_VERSION" ] && [ -d /proc/self/fd ]; then
    for path in /proc/self/fd/*; do
      fd=${path##*/}
      [ "$fd" -gt 2 ] && [ "$fd" -ne 255 ] && eval "exec $fd>&-"
    done
  fi

  # A signal to the whole group ends the command, not the one who records its end. Handlers, unlike ignored
  # signals, are not inherited by the command.
  trap : HUP INT QUIT TERM

  identity() {
    if read -r line 2>/dev/null <"/proc/$$/stat"; then
      set -- ${line##*) }
      start=${20}
      read -r boot </proc/sys/kernel/random/boot_id
    else
      start=$(/bin/ps -o lstart= -p $$)
      boot=$(/usr/sbin/sysctl -n kern.boottime)
    fi
    printf '%s\n%s\n%s\n' "$$" "$start" "$boot" >"$run/supervisor.tmp" &&
      /bin/mv -f "$run/supervisor.tmp" "$run/supervisor"
  }

  # Tried again for an hour: the disk may be full only for a while, and an exit code must not get lost.
  finish() {
    tries=0
    until { printf '%s\n' "$1" >"$run/exit.tmp"; } 2>/dev/null && /bin/mv -f "$run/exit.tmp" "$run/exit"; do
      tries=$((tries + 1))
      [ "$tries" -gt 720 ] && exit 1
      # Somebody has removed it: nobody will ever ask.
      [ -d "$run" ] || exit 1
      /bin/sleep 5
    done
    exit 0
  }

  refuse() {
    printf 'stint: %s\n' "$2" >>"$run/output.log"
    printf '%s\n' "$2" >"$run/cause"
    finish "$1"
  }

  runnable() {
    [ -f "$1" ] && [ -x "$1" ]
  }

  # Sets `program` to the file that the name stands for: never a builtin of this shell.
  find_program() {
    program=$1
    case $1 in
      */*) runnable "$1" && return 0 ;;
      *)
        rest=$PATH:
        while [ -n "$rest" ]; do
          entry=${rest%%:*}
          rest=${rest#*:}
          program=${entry:-.}/$1
          runnable "$program" && return 0
        done
        ;;
    esac
    return 1
  }

  # What counts is the file, not how the program that moved it there ended.
  identity
  [ -e "$run/supervisor" ] || exit 1
  cd "$dir" 2>/dev/null || refuse 126 "the working directory $dir does not exist or may not be entered"
  find_program "$1" || refuse 127 "command not found: $1"

  shift
  (
    trap - HUP INT QUIT TERM
    exec "$program" "$@"
  ) >>"$run/output.log" 2>&1 </dev/null
  finish $?
}
