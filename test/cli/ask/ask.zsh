# ask.zsh SCRIPT LINE…: prints what could stand at the end of each line, and == after each. Tab is pressed in a shell at a terminal of
# its own; what it would offer is printed there instead of being drawn as a menu.
zmodload zsh/zpty
script=$1
shift
cat >$script.setup <<'SETUP'
PS1= PS2= RPS1=
unsetopt zle_bracketed_paste auto_list auto_menu
autoload -Uz compinit && compinit -D -u
source $STINT_SCRIPT
compadd() {
  # Asked to fill an array, it offers nothing.
  if [[ -n ${@[(r)-[OAD]]} ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -O hits "$@"
  print -rl -- '' '>'$^hits
}
# Each line is asked at a prompt of its own, which says so once keys are read: none is typed ahead.
tab() {
  zle complete-word
  BUFFER=
  zle accept-line
}
zle -N tab
bindkey '^I' tab
zle-line-init() { print -rl -- '' '>==' }
zle -N zle-line-init
SETUP
export STINT_SCRIPT=$script
zpty shell zsh -fi
# Prints what it says after >, until it says that.
until_said() {
  local line
  while zpty -r shell line; do
    line=${${line%%$'\n'}%%$'\r'}
    if [[ $line == '>'* ]]; then
      print -r -- ${line#>}
      if [[ $line == ">$1" ]]; then return; fi
    fi
  done
}
zpty -w shell "source $script.setup"
until_said '==' >/dev/null
for line; do
  zpty -wn shell "$line"$'\t'
  until_said '=='
done
zpty -d shell
