#!/usr/bin/env bash
# Tests completions in real shells: types keys into a terminal (tmux), and checks the screen. It skips shells that are not
# installed. The argument is the folder of the program, whose name has a hyphen.
set -euo pipefail
PATH=$(realpath "$1"):$PATH
export PATH
work=$(mktemp -d)
tmux=(tmux -L "completions-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2> /dev/null || true; rm -rf "$work"' EXIT
failed=0

# try SHELL 'command that starts it' 'command that loads the completions'
try() {
  local shell=$1 start=$2 load=$3 typed expected shown
  if ! command -v "${start%% *}" > /dev/null; then echo "skipped: $shell is not installed"; return; fi
  "${tmux[@]}" new-session -d -s "$shell" -x 120 -y 20 "$start"
  sleep 1
  "${tmux[@]}" send-keys -t "$shell" "$load" Enter
  sleep 2
  while IFS='|' read -r typed expected shells; do
    # clap completes values only in some shells.
    if [ -n "$shells" ] && ! grep -qw "$shell" <<< "$shells"; then continue; fi
    # Empties the line.
    "${tmux[@]}" send-keys -t "$shell" C-c
    sleep 0.5
    "${tmux[@]}" send-keys -t "$shell" -l "$typed"
    "${tmux[@]}" send-keys -t "$shell" Tab
    for _ in $(seq 20); do
      sleep 0.3
      shown=$("${tmux[@]}" capture-pane -p -t "$shell")
      if grep -qF -- "$expected" <<< "$shown"; then break; fi
    done
    if grep -qF -- "$expected" <<< "$shown" && ! grep -qF -- "--log-level" <<< "$shown"; then
      echo "$shell: $typed<Tab> gives $expected"
    else
      echo "$shell: $typed<Tab> does not give $expected, but:"
      echo "$shown"
      failed=1
    fi
  done << 'LINES'
source-http comp|source-http completions
source-http read --state-|source-http read --state-file
source-http check --exit|source-http check --exit-status
source-http discover --log|source-http discover --log
source-http read --source st|source-http read --source stripe|bash zsh fish
source-http read --config-env of|source-http read --config-env off|bash zsh fish
LINES
  "${tmux[@]}" kill-session -t "$shell"
}

mkdir "$work/zsh"
source-http completions zsh > "$work/zsh/_source-http"
try bash 'bash --norc' 'source <(source-http completions bash)'
try zsh 'zsh -f' "fpath=($work/zsh \$fpath); autoload -Uz compinit; compinit -u -D"
try fish 'fish --no-config' 'source-http completions fish | source'
try elvish 'elvish -norc' 'eval (source-http completions elvish | slurp)'
try powershell 'pwsh -NoProfile' 'source-http completions powershell | Out-String | Invoke-Expression'
exit "$failed"
