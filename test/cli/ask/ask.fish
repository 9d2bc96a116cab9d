# ask.fish SCRIPT LINE…: prints what could stand at the end of each line, and == after each.
source $argv[1]
for line in $argv[2..]
    complete -C "$line"
    echo ==
end
