# ask.bash SCRIPT LINE…: prints what could stand at the end of each line, and == after each. The completion's own function is called as
# bash calls it.
source "$1"
shift
complete -p stint >/dev/null || exit 1
for line; do
  read -ra COMP_WORDS <<<"$line"
  if [[ $line == *' ' ]]; then COMP_WORDS+=(''); fi
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMPREPLY=()
  _stint
  printf '%s\n' "${COMPREPLY[@]}" ==
done
