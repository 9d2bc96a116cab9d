# What Slurm runs for a job of Stint's. Before this stand, written by engine/executors/slurm/submission.ts: `run`, the directory
# of the launch as its nodes see it, and `supervisor`, resources/supervisor.sh beside it.
#
# In RUN_DIR, beside what supervisor.sh keeps there:
#   task.sh     what the job is: its variables, directory and command. Readable by its owner alone, and gone once it is over
#   slurm       Slurm's number of this job
# A submission that Stint has given up on finds `claim/` there, and runs nothing.
{
  # Slurm tells every process of a job to end, and the command is who is meant.
  trap : HUP INT QUIT TERM
  if ! [ -r "$run/task.sh" ]; then
    [ -e "$run/claim" ] && exit 0
    echo "stint: $run/task.sh cannot be read on $(uname -n)" >&2
    exit 95
  fi
  # Started again by Slurm: the same job, from the beginning.
  if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] && [ "$(cat "$run/slurm" 2>/dev/null)" = "$SLURM_JOB_ID" ]; then
    rm -rf "$run/claim" "$run/exit" "$run/cause" "$run/after" "$run/supervisor"
  fi
  [ -e "$run/claim" ] || printf '%s\n' "$SLURM_JOB_ID" >"$run/slurm"
  . "$run/task.sh"
  export STINT_RESTART_COUNT="$((STINT_RESTART_COUNT + ${SLURM_RESTART_COUNT:-0}))"
  /bin/sh "$supervisor" "$run" "$@"
  read -r code <"$run/exit" 2>/dev/null && exit "$code"
  # Killed before it could say how the command ended; or it was given up on before, and nothing was run.
  [ "$(cat "$run/slurm" 2>/dev/null)" = "$SLURM_JOB_ID" ] && exit 94
  exit 0
}
