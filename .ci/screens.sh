#!/usr/bin/env bash
# Runs the built binary in tmux against the mock Stripe API, and writes its screens as text to docs/screens.md, or to FILE.
# It fails if a screen lacks an expected text.
#
#   .ci/screens.sh [FILE]         # SCREENS_PROFILE=debug runs the debug build; default: release
set -euo pipefail
cd "$(dirname "$0")/.."
page=${1:-docs/screens.md}
profile=${SCREENS_PROFILE:-release}
work=$(mktemp -d)
# The demo and the mock are development builds, as in the README.
export PATH="$PWD/target/$profile:$PWD/target/debug/examples:$PATH"
screens=0
# Each screen has its own tmux server, because one that ends takes a while.
tmux() { command tmux -L "screens-$$-$screens" -f /dev/null "$@"; }
trap 'tmux kill-server 2>/dev/null || true; [ -z "${serving:-}" ] || kill "$serving" 2>/dev/null || true; rm -rf "$work"' EXIT

# The mock reads commands from file descriptor 3.
mkfifo "$work/commands"
exec 3<>"$work/commands"
mock_stripe 12000 --others 300 --now 1767225600 <&3 >"$work/mock.txt" & serving=$!
for _ in $(seq 100); do [ -s "$work/mock.txt" ] && break; sleep 0.1; done
# Uses the rate limit of a Stripe test key, so that the read lasts long enough for the screens.
head -1 "$work/mock.txt" | sed 's/"call_rate_limit":1000000/"call_rate_limit":25,"num_workers":4/' > "$work/config.json"
sed 's/"client_secret":"[^"]*"/"client_secret":"rk_live_of_another_account"/' "$work/config.json" > "$work/wrong.json"

screen() {
  tmux kill-server 2>/dev/null || true
  screens=$((screens + 1))
  tmux new-session -d -x "$1" -y "$2" -c "$work" "env -u NO_COLOR PS1='\$ ' bash --norc --noprofile"
  wait_for '^\$'
}
type_in() { tmux send-keys -l "$1"; tmux send-keys Enter; }
shown() { tmux capture-pane -p | sed -e 's/[[:space:]]*$//' -e "s|$work|.|g" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }
# Waits until a pattern is on the screen, at most half a minute.
wait_for() {
  for _ in $(seq 300); do
    if shown | grep -qE -e "$1"; then return; fi
    sleep 0.1
  done
  echo "the screen has nothing that matches $1:" >&2
  shown >&2
  return 1
}
# Waits until the last line is the shell's prompt, at most a minute.
wait_for_prompt() {
  for _ in $(seq 600); do
    if [ "$(shown | tail -1)" = '$' ]; then return; fi
    sleep 0.1
  done
  echo "the command does not end:" >&2
  shown >&2
  return 1
}
write() { printf '%s\n' "$@" >> "$page"; }
picture() { write '' '```text'; shown | sed '${/^\$$/d;}' >> "$page"; write '```'; }

cat > "$page" <<'END'
# What it looks like at a terminal

This is a real terminal, without its colours, while the binary reads the mock Stripe API.
`.ci/screens.sh` generates this page; it needs tmux and jq (`apt-get install tmux jq`),
`cargo build --release --bin source-http`, or a debug build with `SCREENS_PROFILE=debug`, and
`cargo build --example mock_stripe --example demo`. Ports, times and rates are those of one run.
END

write '' '## The demo' '' 'All four commands and a manifest, without an account: `cargo run --example demo`.'
screen 100 100
type_in demo
wait_for 'exit code 0$'
wait_for_prompt
picture

write '' '## A check' '' 'With a key that cannot read two of the lists. stdout is for Airbyte.'
screen 80 30
echo 'forbid /v1/charges' >&3
echo 'forbid /v1/refunds' >&3
type_in 'source-http check --config config.json > answer.jsonl'
wait_for 'The config works'
wait_for_prompt
picture
echo 'allow /v1/charges' >&3
echo 'allow /v1/refunds' >&3

write '' '## A check that fails'
screen 80 30
type_in 'source-http check --config wrong.json > answer.jsonl'
wait_for 'error'
wait_for_prompt
picture

write '' '## A read' '' 'While it runs:'
screen 80 30
type_in 'source-http read --config config.json --streams charges,customers,refunds,persons > out.jsonl'
wait_for 'charges .* [1-9],?[0-9]* records .*MB'
picture
write '' 'Stripe answers 429 and asks for eight seconds. Each stream shows why it waits, and counts down:'
echo 'limit /v1/charges 8' >&3
wait_for 'charges .*waiting [678] s'
picture
write '' 'Four seconds later:'
wait_for 'charges .*waiting [34] s'
picture
write '' 'At the end, a table replaces the live lines. `waits` is their number and their total length:' \
  'concurrent waits add up, so it may exceed `time`.'
wait_for '^total'
wait_for_prompt
picture

write '' '## Ctrl-C' '' 'The run writes what it has read, with states, and the table shows the progress.'
screen 80 30
type_in 'source-http read --config config.json --streams charges,persons > out.jsonl; echo "exit code $?"'
wait_for 'charges .* [1-9],?[0-9]* records'
tmux send-keys C-c
wait_for 'exit code 130'
picture

write '' '## A narrow terminal' '' 'With forty columns, the table names the columns that do not fit.'
screen 40 30
type_in 'source-http read --config config.json --streams customers,customer_balance_transactions > out.jsonl'
wait_for '^total'
wait_for_prompt
picture

write '' '## Records for other programs' '' 'Live progress is off when stdout reaches the same terminal.'
screen 80 30
type_in "source-http read --config config.json --streams refunds --limit 3 --format jsonl | jq -c '[.id, .amount]'"
wait_for '^total'
wait_for_prompt
picture

write '' '## Redirected' '' 'None of this appears when stderr is redirected: no table, no colours, no codes.'
screen 80 30
type_in 'source-http read --config config.json --streams refunds > out.jsonl 2> err.txt; wc -c err.txt'
wait_for '^[0-9]+ err.txt'
picture
shown | grep -q '^0 err.txt'
