#!/bin/sh
# Starts one job and writes down how it ended, whether or not the engine is still there.
#
#   supervisor.sh RUN_DIR WORKING_DIR COMMAND [ARGUMENT…]
#
# In RUN_DIR, in this order:
#   claim       made by whoever may decide about this launch, once: this script before it starts anything, or a
#               recovering engine, which thereby knows that nothing was and never will be started
#   supervisor  pid, start time and boot id of this script, a line each
#   output.log  stdout and stderr of the command, as it writes them
#   cause       why the command could not be started, where that is so
#   after       made once the command is over and its post hook begins
#   exit        the exit code, 128 + n for signal n
# From the environment, where it is taken out of: STINT_SUPERVISOR_PRE and STINT_SUPERVISOR_POST, what a shell is to run before and
# after the command; STINT_SUPERVISOR_ACTIVATE, a directory with scripts that set what else the environment of the job needs;
# STINT_SUPERVISOR_ULIMITS, limits as FLAG:SOFT:HARD:NAME of ulimit, in its units, with a space between.
# `exit` appears whole or not at all: written beside and moved into place. `supervisor` is written at once, and means nothing before
# its third line ends. Until the command runs, no other program is started: each costs as much as this whole script.
# The braces make the shell read all of it first, so that nothing depends on its own descriptors.
{
  run=$1
  dir=$2
  shift 2
  pre=$STINT_SUPERVISOR_PRE
  post=$STINT_SUPERVISOR_POST
  limits=$STINT_SUPERVISOR_ULIMITS
  activate=$STINT_SUPERVISOR_ACTIVATE
  unset STINT_SUPERVISOR_PRE STINT_SUPERVISOR_POST STINT_SUPERVISOR_ULIMITS STINT_SUPERVISOR_ACTIVATE

  # Made only where it is not there yet, whoever else tries at the same time. Not by `:`, a special built-in, for which some
  # shells would end with a status of their own.
  { set -C && true >"$run/claim"; } 2>/dev/null || exit 0
  set +C

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
    printf '%s\n%s\n%s\n' "$$" "$start" "$boot" >"$run/supervisor"
  }

  # Tried again for an hour: the disk may be full only for a while, and an exit code must not get lost. Programs by their path:
  # PATH is the job's, and may lead anywhere.
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

  # Beside the exit code of the command, that of the hook changes nothing.
  leave() {
    if [ -n "$post" ]; then
      : >"$run/after"
      (
        begin
        STINT_EXIT_CODE=$1 exec /bin/sh -c "$post"
      ) >>"$run/output.log" 2>&1 </dev/null
      hook=$?
      [ "$hook" -eq 0 ] || printf 'stint: its post hook failed with exit code %s\n' "$hook" >>"$run/output.log"
    fi
    finish "$1"
  }

  say() {
    printf 'stint: %s\n' "$1" >>"$run/output.log"
    printf '%s\n' "$1" >"$run/cause"
  }

  refuse() {
    say "$2"
    leave "$1"
  }

  # What every process of the job begins with. Limits: lowered, or raised as far as one may; the last two tell.
  begin() {
    trap - HUP INT QUIT TERM
    if [ -n "$activate" ]; then
      for script in "$activate"/*.sh; do
        [ -r "$script" ] && . "$script"
      done
    fi
    # Where a shell keeps to POSIX, it counts files and dumps in blocks of 512 bytes.
    per_kib=1
    case $BASH_VERSION:$SHELLOPTS in :* | *posix*) per_kib=2 ;; esac
    for limit in $limits; do
      name=${limit##*:}
      limit=${limit%:*}
      hard=${limit##*:}
      limit=${limit%:*}
      flag=${limit%%:*}
      soft=${limit##*:}
      case $flag in
        c | f)
          [ "$hard" = unlimited ] || hard=$((hard * per_kib))
          [ "$soft" = unlimited ] || soft=$((soft * per_kib))
          ;;
      esac
      ulimit -S "-$flag" "$soft" 2>/dev/null
      if ! ulimit -H "-$flag" "$hard" 2>/dev/null || ! ulimit -S "-$flag" "$soft" 2>/dev/null; then
        say "the limit $name cannot be set: it may not be raised above $(ulimit -H "-$flag" 2>/dev/null)"
        exit 125
      fi
    done
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

  identity || exit 1
  if ! cd "$dir" 2>/dev/null; then
    # Nothing is done anywhere else.
    post=
    refuse 126 "the working directory $dir does not exist or may not be entered"
  fi
  if [ -n "$pre" ]; then
    (
      begin
      exec /bin/sh -c "$pre"
    ) >>"$run/output.log" 2>&1 </dev/null
    hook=$?
    [ -e "$run/cause" ] && leave "$hook"
    [ "$hook" -eq 0 ] || refuse "$hook" "its pre hook failed with exit code $hook"
  fi
  find_program "$1" || refuse 127 "command not found: $1"

  shift
  (
    begin
    exec "$program" "$@"
  ) >>"$run/output.log" 2>&1 </dev/null
  leave $?
}
