#!/bin/sh
# Stands in for sbatch, squeue, scontrol, scancel and sacct, by whichever name it is called. It runs each job at once as a
# process of its own and remembers it for good, in the directory $0 is in. It knows no queue, GPUs, arrays, dependencies or
# accounts. A file `MODE` there, named after the command, says what it does wrong:
#   hang      never answers          garbage   answers nonsense         down   as if the controller were away
#   refuse    says no                late      (sbatch) takes the job, and never answers
#   lose      (sbatch) answers with a number, and takes nothing; the script is kept as `lost`
#   forgotten (squeue) has nothing in its list any more
#   accounts  (sacct) remembers that every job was ended at its time limit
dir=$(dirname "$0")
name=$(basename "$0")
mode=$(cat "$dir/$name.mode" 2>/dev/null)
case $mode in
  hang) exec sleep 600 ;;
  garbage) echo '<html>502 Bad Gateway</html>'; exit 0 ;;
  down) echo "$name: error: Unable to contact slurm controller (connect failure)" >&2; exit 1 ;;
  refuse) echo "$name: error: Batch job submission failed: Invalid account or account/partition combination specified" >&2; exit 1 ;;
esac
case $name in
  sbatch)
    number=$(($(ls "$dir/jobs" | wc -l) + 1))
    job=$dir/jobs/$number
    for word; do case $word in --comment=*) token=${word#--comment=} ;; esac; done
    if [ "$mode" = lose ]; then
      cat >"$dir/lost"
      echo 4711
      exit 0
    fi
    mkdir "$job"
    cat >"$job/script"
    printf '%s' "$token" >"$job/token"
    (
      SLURM_JOB_ID=$number sh "$job/script"
      echo $? >"$job/code.tmp"
      mv "$job/code.tmp" "$job/code"
    ) >/dev/null 2>&1 </dev/null &
    [ "$mode" = late ] && exec sleep 600
    echo "$number"
    ;;
  squeue)
    [ "$mode" = forgotten ] && exit 0
    for job in "$dir"/jobs/*; do
      [ -e "$job/token" ] || continue
      state=RUNNING
      if [ -e "$job/code" ]; then [ "$(cat "$job/code")" = 0 ] && state=COMPLETED || state=FAILED; fi
      number=$(basename "$job")
      echo "$number|$number|N/A|$state|None|N/A|N/A|here|$(cat "$job/token")"
    done
    ;;
  scontrol)
    case $2 in
      config) printf 'ClusterName             = standin\nMaxArraySize            = 1001\nMinJobAge               = 300 sec\nSLURM_VERSION           = 0.0.0\n' ;;
      job) echo "JobId=$4 JobState=COMPLETED Reason=None ExitCode=$(cat "$dir/jobs/$4/code" 2>/dev/null || echo 0):0" ;;
    esac
    ;;
  sacct)
    [ "$mode" = accounts ] && { echo 'TIMEOUT|0:15|TimeLimit'; exit 0; }
    echo 'Slurm accounting storage is disabled' >&2
    exit 1
    ;;
esac
